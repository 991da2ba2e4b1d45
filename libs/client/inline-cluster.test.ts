import { afterEach, expect, test, vi } from 'vitest'

import { task, MeshError, TaskCancelledError, TaskError } from '#libs/task'

import { createInlineCluster } from './inline-cluster.js'

const double = task(import.meta, 'double', (x: number) => 2 * x)
const fail = task(import.meta, 'fail', (_x: number): number => {
  throw new RangeError('too far', { cause: new Error('deep') })
})
/** Stops when it is told to, and says what it was told. */
const untilStopped = task(import.meta, 'untilStopped', async (_x: number, ctx) => {
  await new Promise((_, reject) => ctx.signal.addEventListener('abort', () => reject(ctx.signal.reason as Error)))
})
const never = task(import.meta, 'never', async () => {
  await new Promise(() => undefined)
})
const deadline = task(import.meta, 'deadline', (ctx) => ctx.deadline?.getTime())
const talk = task(import.meta, 'talk', (word: string, ctx) => {
  ctx.log.warn('warned', { word })
})
const sum = task(import.meta, 'sum', (xs: Float64Array) => xs.reduce((total, x) => total + x, 0))

async function rejectionOf(promise: Promise<unknown>): Promise<unknown> {
  return await promise.then(
    () => expect.fail('it was expected to fail'),
    (error: unknown) => error,
  )
}

/** Gives the tasks that were submitted a turn. */
async function untilRunning(): Promise<void> {
  await new Promise((resolve) => setImmediate(resolve))
}

afterEach(() => void vi.useRealTimers())

test('a task that is cancelled is told, and what waits behind it runs', async () => {
  const cluster = createInlineCluster()
  const stuck = cluster.submit(untilStopped, 1)
  const next = cluster.submit(double, 2)
  await untilRunning()
  await stuck.cancel()
  expect(stuck.status).toBe('cancelled')
  expect(await next.result()).toBe(4)
  const error = await rejectionOf(stuck.result())
  expect(error).toBeInstanceOf(TaskCancelledError)
  expect((error as Error).message).toContain('its client asked for it')
  await cluster.close()
})

test('a task that does not heed its signal is not waited for longer than the grace', async () => {
  vi.useFakeTimers()
  const cluster = createInlineCluster()
  const stuck = cluster.submit(never)
  const next = cluster.submit(double, 2)
  await vi.advanceTimersByTimeAsync(0)
  await stuck.job.cancel()
  await vi.advanceTimersByTimeAsync(1_000)
  expect(await next.result()).toBe(4)
})

test('what is cancelled before its turn does not run, nor what depends on it', async () => {
  const cluster = createInlineCluster()
  const first = cluster.submit(double, 1)
  const second = cluster.submit(double, first)
  await first.cancel()
  expect(await rejectionOf(second.result())).toMatchObject({ kind: 'cancelled', reason: 'INPUT_FAILED' })
})

test('a timeout is a deadline for the task, and the reason for its failure', async () => {
  vi.useFakeTimers({ now: 1_000_000 })
  const cluster = createInlineCluster().with({ timeout: '5s' })
  expect(await cluster.submit(deadline).result()).toBe(1_005_000)
  const slow = cluster.submit(untilStopped, 1)
  const failed = rejectionOf(slow.result())
  await vi.advanceTimersByTimeAsync(5_000)
  expect(await failed).toMatchObject({ kind: 'timeout', reason: 'TASK_TIMEOUT' })
  expect(((await failed) as Error).message).toContain('ran longer than its timeout of 5000 ms')
})

test('a timeout that is no time is refused at once', () => {
  expect(() => createInlineCluster().with({ timeout: 'soon' }).submit(double, 1)).toThrow("'soon'")
})

test('lines of a task come to its job', async () => {
  const said = vi.spyOn(console, 'warn').mockImplementation(() => undefined)
  const future = createInlineCluster().submit(talk, 'hello')
  const lines: string[] = []
  future.job.onLog(({ level, text, taskId }) => lines.push(`${level} ${text} ${taskId === future.id}`))
  await future.result()
  expect(lines).toEqual(["warn warned { word: 'hello' } true"])
  expect(said).toHaveBeenCalledOnce()
  said.mockRestore()
})

test('a failure is told as a mesh tells it', async () => {
  const future = createInlineCluster().submit(fail, 1)
  const error = (await rejectionOf(future.result())) as TaskError
  expect(error).toMatchObject({
    ...{ kind: 'userError', errorName: 'RangeError', taskName: 'fail', workerId: 'inline', attempts: 1 },
  })
  expect(error.cause).toBeInstanceOf(TaskError)
  expect((error.cause as Error).message).toContain('deep')
  expect(future.timing).toMatchObject({ workerId: 'inline', attempt: 1 })
})

test('along a chain the cause names the task that failed', async () => {
  const cluster = createInlineCluster()
  const first = cluster.submit(fail, 1)
  const last = cluster.submit(double, cluster.submit(double, first))
  const error = (await rejectionOf(last.result())) as TaskError
  expect(error).toMatchObject({ kind: 'input', reason: 'INPUT_FAILED', taskName: 'double' })
  expect(error.cause).toMatchObject({ taskId: first.id, taskName: 'fail', kind: 'userError' })
})

test('nothing of a graph runs whose building throws', async () => {
  const cluster = createInlineCluster()
  let inner: { result(): Promise<number> } | undefined
  expect(() =>
    cluster.graph((g) => {
      inner = g.task(double, 1)
      throw new Error('changed my mind')
    }),
  ).toThrow('changed my mind')
  expect(await rejectionOf(inner?.result() ?? Promise.resolve())).toMatchObject({ reason: 'GRAPH_NOT_SUBMITTED' })
})

test('a future of a graph that is being built is of use only in it', () => {
  const cluster = createInlineCluster()
  expect(() => cluster.graph((g) => cluster.submit(double, g.task(double, 1)))).toThrow(
    'belongs to a graph that is not submitted yet',
  )
})

test('nothing is added to a graph that is submitted', () => {
  const add = createInlineCluster().graph((g) => () => g.task(double, 1))
  expect(() => add()).toThrow('the graph is submitted')
})

test('a released result is gone, but not for tasks that were submitted before', async () => {
  const cluster = createInlineCluster()
  const first = cluster.submit(double, 1)
  const second = cluster.submit(double, first)
  first.release()
  expect(await rejectionOf(first.result())).toMatchObject({ reason: 'RESULT_RELEASED' })
  expect(await second.result()).toBe(4)
  expect(() => cluster.submit(double, first)).toThrow('was released by this program')
})

test('a scattered object that was released fails what is submitted later, and not what was before', async () => {
  const cluster = createInlineCluster()
  const xs = await cluster.scatter(new Float64Array([1, 2]))
  const before = cluster.submit(sum, xs)
  xs.release()
  const after = cluster.submit(sum, xs)
  expect(await before.result()).toBe(3)
  expect(await rejectionOf(after.result())).toMatchObject({ kind: 'input', reason: 'INPUT_LOST' })
  expect(await rejectionOf(xs.result())).toMatchObject({ reason: 'RESULT_UNAVAILABLE' })
})

test('what a mesh refuses is refused here', async () => {
  const cluster = createInlineCluster()
  await cluster.register(double, { name: 'double', version: '1' })
  expect(await cluster.submitRegistered('double', 2).result()).toBe(4)
  expect(await rejectionOf(cluster.submitRegistered('triple', 2).result())).toMatchObject({
    reason: 'TASK_NOT_REGISTERED',
    message: 'no task triple is registered; known: double@1',
  })
  expect(await rejectionOf(cluster.register(double as never, { name: 'a b', version: '1' }))).toMatchObject({
    reason: 'BAD_TASK_NAME',
  })
  expect(await rejectionOf(cluster.scale(-1))).toBeInstanceOf(RangeError)
  expect(() => cluster.adapt({ minimum: 3, maximum: 1 })).toThrow(RangeError)
  expect(await rejectionOf(cluster.scatter(1, { workers: ['w-1'] }))).toBeInstanceOf(RangeError)
  await expect(cluster.waitForWorkers(2)).rejects.toThrow('1 of 2 workers')
  expect(cluster.map(double, [])).toEqual([])
})

test('a closed cluster waits for nobody, and takes nothing more', async () => {
  const cluster = createInlineCluster()
  const stuck = cluster.submit(untilStopped, 1)
  const waiting = cluster.submit(double, 1)
  await untilRunning()
  await cluster.close()
  for (const future of [stuck, waiting]) {
    expect(await rejectionOf(future.result())).toMatchObject({ code: 'CANCELLED', reason: 'CLIENT_CLOSED' })
  }
  expect(() => cluster.submit(double, 1)).toThrow(MeshError)
})
