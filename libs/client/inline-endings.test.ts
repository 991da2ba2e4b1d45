import { afterEach, expect, test, vi } from 'vitest'

import { task, type TaskError } from '#libs/task'

import { createInlineCluster } from './inline-cluster.js'

const double = task(import.meta, 'double', (x: number) => 2 * x)
/** Throws in its first attempts. */
const flaky = task(import.meta, 'flaky', async (failures: number, ctx) => {
  const saved = await ctx.checkpoint.load<number>()
  await ctx.checkpoint.save((saved?.state ?? 0) + 1)
  if (ctx.attempt <= failures) throw new RangeError(`flaw ${ctx.attempt}`)
  return `attempt ${ctx.attempt} after ${saved?.state ?? 0}`
})
const untilStopped = task(import.meta, 'untilStopped', async (_x: number, ctx) => {
  await new Promise((_, reject) => ctx.signal.addEventListener('abort', () => reject(ctx.signal.reason as Error)))
})
const deadlineOf = task(import.meta, 'deadlineOf', (ctx) => ctx.deadline?.getTime())

async function errorOf(promise: Promise<unknown>): Promise<TaskError> {
  return (await promise.then(
    () => expect.fail('it was expected to fail'),
    (error: unknown) => error,
  )) as TaskError
}

afterEach(() => void vi.useRealTimers())

test('a task of a graph is tried again, waited for and given devices as its own options say', async () => {
  vi.useFakeTimers({ now: 0 })
  const devices = task(import.meta, 'devices', (ctx) => ctx.devices)
  const cluster = createInlineCluster()
  const [good, bad, gpus, deadline] = cluster.graph((g) => {
    const patient = g.with({ retry: { maxAttempts: 3, backoff: '10s', factor: 2, jitter: 0 } })
    return [
      patient.task(flaky, 2),
      g.task(flaky, 1),
      patient.with({ resources: { gpu: 2 } }).task(devices),
      g.with({ timeout: 5_000 }).task(deadlineOf),
    ] as const
  })
  const failed = errorOf(bad.result())
  await vi.advanceTimersByTimeAsync(30_000)
  expect(await good.result()).toBe('attempt 3 after 2')
  expect((await failed).message).toContain('flaw 1')
  expect(await gpus.result()).toEqual([0, 1])
  expect(await deadline.result()).toBe(35_000)
})

test('a task that fails is tried again as often as asked, after its waits, with what it saved', async () => {
  vi.useFakeTimers({ now: 0 })
  const cluster = createInlineCluster().with({ retry: { maxAttempts: 3, backoff: '10s', factor: 2, jitter: 0 } })
  const good = cluster.submit(flaky, 2)
  await vi.advanceTimersByTimeAsync(29_999)
  expect(good.status).toBe('pending')
  await vi.advanceTimersByTimeAsync(1)
  expect(await good.result()).toBe('attempt 3 after 2')
  expect(good.timing).toMatchObject({ attempt: 3 })
  const bad = errorOf(cluster.submit(flaky, 3).result())
  await vi.advanceTimersByTimeAsync(30_000)
  const { history, attempts, message } = await bad
  expect(message).toContain('after 3 attempts: RangeError: flaw 3')
  expect(attempts).toBe(3)
  expect(history.map((each) => [each.attempt, each.message])).toEqual([
    [1, 'flaw 1'],
    [2, 'flaw 2'],
    [3, 'flaw 3'],
  ])
})

test('a task that waits for its next attempt can be cancelled, and a budget ends the retries', async () => {
  const cluster = createInlineCluster().with({ retry: { maxAttempts: 3, backoff: '1h', maxBackoff: '1h' } })
  const waiting = cluster.submit(flaky, 1)
  await new Promise((resolve) => setImmediate(resolve))
  await waiting.cancel()
  expect(waiting.status).toBe('cancelled')
  expect(await cluster.submit(double, 1).result()).toBe(2)
  const tight = cluster.with({ retry: { maxAttempts: 5, backoff: 0, budget: 1 } })
  const [first, second] = tight.map(flaky, [1, 1])
  expect(await first?.result()).toBe('attempt 2 after 1')
  expect(await errorOf(second?.result() ?? Promise.resolve())).toMatchObject({ kind: 'userError', history: [] })
})

test('at its deadline a job is over, whatever runs or waits; a task knows it beforehand', async () => {
  vi.useFakeTimers({ now: 1_000_000 })
  const cluster = createInlineCluster().with({ deadline: 1_005_000 })
  expect(await cluster.with({ timeout: '1s' }).submit(deadlineOf).result()).toBe(1_001_000)
  expect(await cluster.submit(deadlineOf).result()).toBe(1_005_000)
  const futures = cluster.map(untilStopped, [1, 2])
  const errors = futures.map((future) => errorOf(future.result()))
  await vi.advanceTimersByTimeAsync(5_000)
  for (const error of errors) expect(await error).toMatchObject({ kind: 'timeout', reason: 'JOB_DEADLINE' })
  expect(await errorOf(cluster.submit(double, 1).result())).toMatchObject({ reason: 'JOB_DEADLINE' })
  expect(vi.getTimerCount()).toBe(0)
})

test('a job that fails fast is over with its first failure, another one goes on', async () => {
  const cluster = createInlineCluster()
  const [failed, rest] = cluster.with({ failFast: true }).map(flaky, [1, 0])
  expect(await errorOf(failed?.result() ?? Promise.resolve())).toMatchObject({ kind: 'userError' })
  expect(await errorOf(rest?.result() ?? Promise.resolve())).toMatchObject({ kind: 'cancelled', reason: 'FAIL_FAST' })
  const [alone, fine] = cluster.map(flaky, [1, 0])
  expect(await fine?.result()).toBe('attempt 1 after 0')
  expect(alone?.status).toBe('failed')
})

test('a race is won by the first that finishes', async () => {
  const cluster = createInlineCluster()
  const futures = [cluster.submit(flaky, 1), cluster.submit(flaky, 0), cluster.submit(untilStopped, 1)]
  expect(await cluster.race<unknown>(futures)).toBe('attempt 1 after 0')
  expect(futures[2]?.status).toBe('cancelled')
})

test('a policy that cannot end is refused at once', () => {
  const endless = createInlineCluster().with({ retry: { maxAttempts: Infinity } })
  expect(() => endless.submit(double, 1)).toThrow(/cannot end/)
})
