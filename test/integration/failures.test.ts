import { readFileSync } from 'node:fs'
import path from 'node:path'

import { createInlineCluster, type Task, TaskError } from 'costate'
import { afterAll, beforeAll, expect, test } from 'vitest'

import { type LocalMesh, rejectionOf, startLocalMesh } from '../harness/local-mesh.js'
import { waitForFile } from '../harness/marker-file.js'

interface Tasks {
  readonly spin: Task<[marker: string, ms: number], number>
  readonly flaky: Task<[log: string, failures: number], number>
  readonly rest: Task<[marker: string], number>
  readonly throwIt: Task<[message: string], never>
  readonly deadline: Task<[], number | undefined>
}

const source = `
import { appendFileSync, writeFileSync } from 'node:fs'
import { task } from 'costate'
export const spin = task(import.meta, 'spin', async (marker, ms) => {
  writeFileSync(marker, '')
  const untilMs = Date.now() + ms
  while (Date.now() < untilMs);
  return ms
})
export const flaky = task(import.meta, 'flaky', async (log, failures, ctx) => {
  appendFileSync(log, ctx.attempt + ' ')
  if (ctx.attempt <= failures) throw new RangeError('flaw ' + ctx.attempt)
  return ctx.attempt
})
export const rest = task(import.meta, 'rest', async (marker, ctx) => {
  if (marker) writeFileSync(marker, '')
  await new Promise((resolve, reject) => ctx.signal.addEventListener('abort', () => reject(ctx.signal.reason)))
})
export const throwIt = task(import.meta, 'throwIt', async (message) => {
  throw new Error(message)
})
export const deadline = task(import.meta, 'deadline', async (ctx) => ctx.deadline?.getTime())
`

let mesh: LocalMesh
let tasks: Tasks

beforeAll(async () => {
  mesh = await startLocalMesh({ workers: 2, threadsPerWorker: 1 })
  tasks = await mesh.importModule<Tasks>('tasks.mjs', source)
})

afterAll(async () => mesh.close())

async function failureOf(result: Promise<unknown>): Promise<TaskError> {
  const error = await rejectionOf(result)
  if (error instanceof TaskError) return error
  throw error
}

const fileIn = (name: string): string => path.join(mesh.userDir, name)
const quick = { backoff: 20, factor: 2, jitter: 0 }

test('a busy loop that is cancelled stops, its future says so, and its slot runs the next task', async () => {
  const { cluster } = mesh
  const spinning = ['spin-a', 'spin-b'].map((name) => cluster.submit(tasks.spin, fileIn(name), 600_000))
  await Promise.all(['spin-a', 'spin-b'].map((name) => waitForFile(fileIn(name))))
  const next = cluster.submit(tasks.flaky, fileIn('next'), 0)
  await spinning[0]?.cancel()
  expect(await rejectionOf(spinning[0]?.result() ?? Promise.resolve())).toMatchObject({ kind: 'cancelled' })
  expect(spinning[0]?.status).toBe('cancelled')
  // The loop would have gone on for longer than anybody waits here.
  await next.result()
  await spinning[1]?.cancel()
})

test('a task that fails is tried again as often as asked, and each attempt is told of', async () => {
  const retrying = mesh.cluster.with({ retry: { maxAttempts: 3, ...quick } })
  expect(await retrying.submit(tasks.flaky, fileIn('twice'), 2).result()).toBe(3)
  expect(readFileSync(fileIn('twice'), 'utf8')).toBe('1 2 3 ')
  const error = await failureOf(retrying.submit(tasks.flaky, fileIn('thrice'), 3).result())
  expect(error.message).toMatch(/failed on worker \S+ after 3 attempts: RangeError: flaw 3/)
  expect(error.history.map(({ attempt, message, kind }) => [attempt, message, kind])).toEqual([
    [1, 'flaw 1', 'userError'],
    [2, 'flaw 2', 'userError'],
    [3, 'flaw 3', 'userError'],
  ])
  for (const { startedAtMs, endedAtMs, workerId } of error.history) {
    expect(endedAtMs).toBeGreaterThanOrEqual(startedAtMs)
    expect(workerId).not.toBe('')
  }
  const plain = await failureOf(mesh.cluster.submit(tasks.flaky, fileIn('once'), 1).result())
  expect(plain.history).toEqual([])
})

test('at its deadline a job is over: what runs is stopped, and a task knows it beforehand', async () => {
  const deadline = Date.now() + 60_000
  const { cluster } = mesh
  expect(await cluster.with({ deadline }).submit(tasks.deadline).result()).toBe(deadline)
  const hurried = cluster.with({ deadline: new Date(Date.now() + 500), timeout: '1h' })
  const futures = hurried.map(tasks.rest, ['', '', ''])
  for (const future of futures) {
    expect(await rejectionOf(future.result())).toMatchObject({ kind: 'timeout', reason: 'JOB_DEADLINE' })
  }
  expect(await cluster.submit(tasks.flaky, fileIn('after'), 0).result()).toBe(1)
})

test('a job that fails fast is over with its first failure; another goes on with partial results', async () => {
  const { cluster } = mesh
  const graph = (failFast: boolean) =>
    cluster
      .with({ failFast })
      .graph((g) => [
        g.task(tasks.throwIt, 'the matrix is singular'),
        ...(failFast ? [g.task(tasks.rest, '')] : []),
        g.task(tasks.flaky, fileIn('fast'), 0),
      ])
  const [, resting] = graph(true)
  const cancelled = await rejectionOf(resting?.result() ?? Promise.resolve())
  expect(cancelled).toMatchObject({ kind: 'cancelled', reason: 'FAIL_FAST' })
  expect(cancelled.message).toContain('the matrix is singular')
  const [thrown, fine] = graph(false)
  expect(await rejectionOf(thrown?.result() ?? Promise.resolve())).toMatchObject({ kind: 'userError' })
  expect(await fine?.result()).toBe(1)
})

test('of a race over several jobs the first that finishes wins, and what runs of the others is stopped', async () => {
  const { cluster } = mesh
  const endless = cluster.submit(tasks.spin, fileIn('endless'), 600_000)
  await waitForFile(fileIn('endless'))
  const futures = [endless, cluster.submit(tasks.throwIt, 'lost'), cluster.submit(tasks.flaky, fileIn('won'), 0)]
  expect(await cluster.race<unknown>(futures)).toBe(1)
  await endless.settled()
  expect(endless.status).toBe('cancelled')
  const both = cluster.map(tasks.flaky, [fileIn('a'), fileIn('b')], [0, 0])
  expect(await cluster.gather(both)).toEqual([1, 1])
})

test('a policy without an end is refused before anything is sent', () => {
  for (const cluster of [mesh.cluster, createInlineCluster()]) {
    const endless = cluster.with({ retry: { maxAttempts: Infinity } })
    expect(() => endless.submit(tasks.deadline)).toThrow(/cannot end.*deadline/)
  }
})
