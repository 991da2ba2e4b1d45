import path from 'node:path'

import { connect, createLocalCluster, type Task, TaskError } from 'costate'
import { afterAll, beforeAll, expect, test } from 'vitest'

import { type LocalMesh, rejectionOf, startLocalMesh } from '../harness/local-mesh.js'

interface Tasks {
  readonly double: Task<[number], number>
  readonly fail: Task<[number], number>
  readonly ramp: Task<[number], Float64Array>
  readonly never: Task<[number], never>
}

const source = `
import { task } from 'costate'
export const double = task(import.meta, 'double', async (x) => 2 * x)
export const fail = task(import.meta, 'fail', async (x) => {
  throw new RangeError('too far: ' + x)
})
export const ramp = task(import.meta, 'ramp', async (n) => Float64Array.from({ length: n }, (_, i) => i))
export const never = task(import.meta, 'never', async (x, ctx) => {
  await new Promise((resolve) => ctx.signal.addEventListener('abort', resolve))
})
`

let mesh: LocalMesh
let tasks: Tasks

beforeAll(async () => {
  mesh = await startLocalMesh()
  tasks = await mesh.importModule<Tasks>('tasks.mjs', source)
})

afterAll(async () => mesh.close())

test('a broadcast value is on every worker', async () => {
  const value = await mesh.cluster.scatter(new Float64Array([1, 2]), { broadcast: true })
  const workers = await mesh.cluster.workers()
  expect([...value.workerIds].sort()).toEqual(workers.map(({ id }) => id).sort())
  expect(workers.map(({ heldObjects }) => heldObjects)).toEqual([1, 1])
  value.release()
  await expect.poll(async () => (await mesh.cluster.workers()).map(({ heldObjects }) => heldObjects)).toEqual([0, 0])
})

test('a released result is gone from workers, and whoever asks for it is told', async () => {
  const ramp = mesh.cluster.submit(tasks.ramp, 50_000)
  await ramp.settled()
  const held = async () => (await mesh.cluster.workers()).reduce((sum, { heldObjects }) => sum + heldObjects, 0)
  expect(await held()).toBe(1)
  ramp.release()
  expect(await rejectionOf(ramp.result())).toMatchObject({ code: 'FAILED_PRECONDITION', reason: 'RESULT_RELEASED' })
  expect(() => mesh.cluster.submit(tasks.double, ramp as never)).toThrow('was released')
  await expect.poll(held).toBe(0)
})

test('a submit is as safe as it is asked to be, and its job says how safe that is', async () => {
  const { cluster } = mesh
  expect(await cluster.submit(tasks.double, 1).job.submitted).toBe('fsynced')
  const quick = cluster.with({ durability: 'memory' }).submit(tasks.double, 2)
  expect([await quick.job.submitted, await quick.result()]).toEqual(['memory', 4])
  const other = await connect('test', { durability: 'memory' })
  try {
    expect(await other.submit(tasks.double, 3).job.submitted).toBe('memory')
    expect(await other.with({ durability: 'fsynced' }).submit(tasks.double, 4).job.submitted).toBe('fsynced')
  } finally {
    await other.close()
  }
})

test('tasks of one graph have their own names, retries and places', async () => {
  const { cluster } = mesh
  const ids = (await cluster.workers()).map(({ id }) => id)
  const pinned = Array.from({ length: 8 }, (_, index) => ids[index % 2]!)
  const { there, again, once } = cluster.graph((g) => ({
    there: pinned.map((id, index) => g.with({ workers: [id], priority: index % 3 }).task(tasks.double, index)),
    again: g.with({ name: 'stubborn', retry: { maxAttempts: 3, backoff: 0 } }).task(tasks.fail, 1),
    once: g.task(tasks.fail, 2),
  }))
  await cluster.gather(there)
  expect(there.map(({ timing }) => timing?.workerId)).toEqual(pinned)
  expect(await rejectionOf(again.result())).toMatchObject({ attempts: 3 })
  expect(await rejectionOf(once.result())).toMatchObject({ attempts: 1 })
  expect(await cluster.explain(again)).toContain('(stubborn)')
})

test('who waits for workers in vain hears where the logs are', async () => {
  const error = await rejectionOf(mesh.cluster.waitForWorkers(3, { timeout: 100 }))
  expect(error.message).toContain(`2 of 3 workers are there after 0.1 s: see the logs in ${mesh.runDir}`)
  expect(error.message).toContain('worker-0:')
})

test('a memory limit that no worker can live with is refused', async () => {
  expect((await rejectionOf(createLocalCluster({ memoryLimit: '50MB' }))).message).toBe(
    'memoryLimit is 50 MB: an idle worker alone needs about 100 MB; give at least 200 MB',
  )
})

test('gather skips failures when asked, and else throws the first while others run', async () => {
  const { cluster } = mesh
  const [good, bad] = [cluster.submit(tasks.double, 4), cluster.submit(tasks.fail, 1)]
  expect(await cluster.gather([bad, good], { errors: 'skip' })).toEqual([8])
  const running = cluster.submit(tasks.never, 1)
  const error = await rejectionOf(cluster.gather([running, cluster.submit(tasks.fail, 2)]))
  expect(error.message).toContain('too far: 2')
  expect(running.status).toBe('pending')
  await running.cancel()
})

test('after a cancel a short task takes the slot that is freed', async () => {
  const { cluster } = mesh
  await cluster.gather(cluster.map(tasks.double, [1, 2, 3, 4]))
  const [long, cancelled] = cluster.map(tasks.never, [1, 2])
  const short = cluster.submit(tasks.double, 5)
  await cancelled?.cancel()
  expect(await short.result()).toBe(10)
  expect(long?.status).toBe('pending')
  await long?.cancel()
})

test('a failed input is named by the task that depends on it', async () => {
  const { cluster } = mesh
  const failed = cluster.submit(tasks.fail, 3)
  const error = await rejectionOf(cluster.submit(tasks.double, cluster.submit(tasks.double, failed)).result())
  expect(error).toMatchObject({ kind: 'input', reason: 'INPUT_FAILED', taskName: 'double' })
  expect(error.cause).toMatchObject({ taskId: failed.id, taskName: 'fail', errorName: 'RangeError' })
  expect((error.cause as Error).stack).toContain(`${path.join(mesh.userDir, 'tasks.mjs')}:5:`)
})

test('a job that is attached has its names, its failures with their stack, and its trace', async () => {
  const joined = mesh.cluster.graph((g) => [g.task(tasks.double, 1), g.task(tasks.fail, 7)] as const)
  const { job } = joined[0]
  await job.submitted
  const other = await connect('test')
  const program = process.argv[1] ?? ''
  process.argv[1] = path.join(mesh.userDir, 'program.mjs')
  const attached = await other.attach(job.id)
  expect(attached.futures.map(({ taskName }) => taskName)).toEqual(['double', 'fail'])
  expect(attached.traceId).toBe(job.traceId)
  expect(await attached.futures[0]?.result()).toBe(2)
  const error = await rejectionOf(attached.futures[1]?.result() as Promise<unknown>)
  process.argv[1] = program
  expect(error).toBeInstanceOf(TaskError)
  expect(error).toMatchObject({ taskName: 'fail', errorName: 'RangeError' })
  expect(error.stack).toContain(`${path.join(mesh.userDir, 'tasks.mjs')}:5:`)
  expect(await rejectionOf(other.attach('nobody'))).toMatchObject({ code: 'NOT_FOUND', reason: 'JOB_NOT_FOUND' })
  await other.close()
})

test('who did not make the mesh does not decide on its workers', async () => {
  const other = await connect('test')
  await expect(other.scale(3)).rejects.toMatchObject({ code: 'FAILED_PRECONDITION', reason: 'NOT_THE_OWNER' })
  expect(() => other.adapt({ minimum: 1, maximum: 2 })).toThrow('whoever made this mesh decides')
  await other.close()
})

test('where nobody listens, connecting fails at once', async () => {
  expect(await rejectionOf(connect('127.0.0.1:1', { meshDir: mesh.meshDir }))).toMatchObject({
    ...{ code: 'UNAVAILABLE', message: 'the scheduler at 127.0.0.1:1 does not answer (ECONNREFUSED)' },
  })
})

test('scaling down again and again, to none, and adapting from none by the slots of a worker', async () => {
  await using other = await startLocalMesh({ name: 'scaling', workers: 1, threadsPerWorker: 2 })
  const { cluster } = other
  const { never } = await other.importModule<Tasks>('tasks.mjs', source)
  const ready = async () => (await cluster.workers()).filter(({ state }) => state === 'ready').length
  await cluster.scale(3)
  await cluster.waitForWorkers(3)
  for (const count of [2, 1]) await cluster.scale(count)
  await expect.poll(ready).toBe(1)
  await cluster.scale(0)
  await expect.poll(async () => (await cluster.workers()).length).toBe(0)

  cluster.adapt({ minimum: 0, maximum: 3 })
  const futures = cluster.map(never, [1, 2, 3, 4])
  await cluster.waitForWorkers(2)
  await expect
    .poll(async () => (await cluster.workers()).reduce((sum, { assignedTasks }) => sum + assignedTasks, 0))
    .toBe(4)
  expect(await ready()).toBe(2)
  await futures[0]?.job.cancel()
  await expect.poll(async () => (await cluster.workers()).length).toBe(0)
})
