import { createServer } from 'node:net'
import { spawn } from 'node:child_process'
import path from 'node:path'

import { connect, createLocalCluster, type Task } from 'costate'
import { afterAll, beforeAll, expect, test } from 'vitest'

import { type LocalMesh, packageRoot, rejectionOf, startLocalMesh } from '../harness/local-mesh.js'

interface Tasks {
  readonly double: Task<[number], number>
  readonly echo: Task<[unknown], unknown>
  readonly sum: Task<[Float64Array], number>
  readonly fail: Task<[string], never>
  readonly throwText: Task<[], never>
  readonly returnFunction: Task<[], unknown>
  readonly exit: Task<[], never>
  readonly throwLater: Task<[], never>
  readonly spin: Task<[number], number>
  readonly hide: () => Task<[], number>
}

const source = `
import { task } from 'costate'
export const double = task(import.meta, 'double', async (x) => 2 * x)
export const echo = task(import.meta, 'echo', async (x) => x)
export const sum = task(import.meta, 'sum', async (xs) => xs.reduce((total, x) => total + x, 0))
export const fail = task(import.meta, 'fail', async (why) => {
  throw new RangeError(why, { cause: new Error('deep') })
})
export const throwText = task(import.meta, 'throwText', async () => { throw 'a text' })
export const returnFunction = task(import.meta, 'returnFunction', async () => ({ history: [() => 1] }))
export const exit = task(import.meta, 'exit', async () => { process.exit(3) })
export const throwLater = task(import.meta, 'throwLater', async () => {
  setTimeout(() => { throw new Error('too late') }, 1)
  await new Promise(() => {})
})
export const spin = task(import.meta, 'spin', async (ms) => {
  const end = Date.now() + ms
  while (Date.now() < end);
  return ms
})
const hidden = task(import.meta, 'hidden', async () => 1)
export const hide = () => hidden
`

let mesh: LocalMesh
let tasks: Tasks

beforeAll(async () => {
  mesh = await startLocalMesh()
  tasks = await mesh.importModule<Tasks>('tasks.mjs', source)
})

afterAll(async () => mesh.close())

/** Whatever went wrong before, the mesh goes on to serve. */
async function expectAlive(): Promise<void> {
  expect(await mesh.cluster.gather(mesh.cluster.map(tasks.double, [1, 2, 3]))).toEqual([2, 4, 6])
}

test('zero workers, and other options that make no sense', async () => {
  expect((await rejectionOf(createLocalCluster({ workers: 0 }))).message).toBe(
    'workers is 0: give a whole number from 1 to 256',
  )
  expect((await rejectionOf(createLocalCluster({ memoryLimit: 'lots' }))).message).toContain(
    "'lots' is no amount of memory",
  )
  expect((await rejectionOf(mesh.cluster.scale(-1))).message).toContain('scale(-1)')
})

test('a name that is taken', async () => {
  expect((await rejectionOf(createLocalCluster({ name: 'test' }))).message).toContain("a mesh named 'test' runs")
})

test('a port in use stops the service with a code and a reason', async () => {
  const holder = createServer()
  await new Promise<void>((resolve) => holder.listen(0, '127.0.0.1', resolve))
  const { port } = holder.address() as { port: number }
  const program = path.join(packageRoot, 'dist', 'services', 'scheduler', 'main.cjs')
  const args = [program, '--mesh-dir', mesh.meshDir, '--journal', 'memory', '--listen-address', `127.0.0.1:${port}`]
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'ignore', 'pipe'] })
  let said = ''
  child.stderr.on('data', (data: Buffer) => (said += data.toString()))
  const code = await new Promise<number | null>((resolve) => child.on('close', resolve))
  holder.close()
  expect(said).toContain(String(port))
  expect(code).toBe(3)
})

test('off loopback without TLS a service refuses to start', async () => {
  const program = path.join(packageRoot, 'dist', 'services', 'checkpoint-store', 'main.cjs')
  const args = [
    program,
    '--mesh-dir',
    mesh.meshDir,
    '--listen-address',
    '0.0.0.0:0',
    '--data-dir',
    path.join(mesh.runDir, 'off'),
  ]
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'ignore', 'pipe'] })
  let said = ''
  child.stderr.on('data', (data: Buffer) => (said += data.toString()))
  const code = await new Promise<number | null>((resolve) => child.on('close', resolve))
  expect(said).toMatch(/TLS/)
  expect(code).not.toBe(0)
})

test('a mesh that is not there', async () => {
  expect(await rejectionOf(connect('nowhere'))).toMatchObject({ code: 'NOT_FOUND', reason: 'MESH_NOT_FOUND' })
})

test('a plain function or a closure is refused with the line to write', () => {
  const solve = (x: number): number => x
  expect(() => mesh.cluster.submit(solve as never, 1)).toThrow("export const solve = task(import.meta, 'solve'")
})

test('an argument that cannot travel is named', () => {
  expect(() => mesh.cluster.submit(tasks.echo, { solver: { step: () => 1 } })).toThrow(
    'argument 0 of task echo, at .solver.step, is a function, which cannot travel',
  )
})

test('35 GB in one value are refused before a byte is copied', async () => {
  const huge = Array<Float64Array>(7).fill(new Float64Array(6.25e8))
  const refusal = await rejectionOf(mesh.cluster.scatter(huge))
  expect(refusal.message).toContain('at [6], is the end of 35.0 GB of arrays, which cannot travel')
  expect(refusal.message).toContain('one value may have 32 GiB; pass it in parts')
  await expectAlive()
})

test('lists of different lengths in a map', () => {
  const add = tasks.double as unknown as Task<[number, number], number>
  expect(() => mesh.cluster.map(add, [1, 2], [1])).toThrow('different lengths: 2, 1')
})

test('a task that throws: the error, its cause, and the line in the user’s file', async () => {
  const error = await rejectionOf(mesh.cluster.submit(tasks.fail, 'no way').result())
  expect(error).toMatchObject({ name: 'TaskError', kind: 'userError', errorName: 'RangeError' })
  expect(error.message).toContain('RangeError: no way')
  expect((error.cause as Error).message).toContain('deep')
  expect(error.stack).toContain(`${path.join(mesh.userDir, 'tasks.mjs')}:7:`)
})

test('a task that throws something else than an error', async () => {
  expect((await rejectionOf(mesh.cluster.submit(tasks.throwText).result())).message).toContain("threw 'a text'")
})

test('a result that cannot be serialised is named', async () => {
  const error = await rejectionOf(mesh.cluster.submit(tasks.returnFunction).result())
  expect(error).toMatchObject({ kind: 'result', reason: 'RESULT_NOT_SERIALIZABLE' })
  expect(error.message).toContain(', at .history[0], is a function')
})

test('a task that exits, or throws outside its promise, fails alone', async () => {
  const bystanders = mesh.cluster.map(
    tasks.double,
    Array.from({ length: 50 }, (_, i) => i),
  )
  expect(await rejectionOf(mesh.cluster.submit(tasks.exit).result())).toMatchObject({ reason: 'TASK_EXITED' })
  expect((await rejectionOf(mesh.cluster.submit(tasks.throwLater).result())).message).toContain('too late')
  expect(await mesh.cluster.gather(bystanders)).toEqual(Array.from({ length: 50 }, (_, i) => 2 * i))
})

test('a module that does not load on the worker', async () => {
  const { lazy } = await mesh.importModule<{ lazy: Task<[], number> }>(
    'lazy.mjs',
    `import { isMainThread } from 'node:worker_threads'
     import { task } from 'costate'
     if (!isMainThread) throw new Error('not on a worker')
     export const lazy = task(import.meta, 'lazy', async () => 1)`,
  )
  const error = await rejectionOf(mesh.cluster.submit(lazy).result())
  expect(error).toMatchObject({ kind: 'bundle', reason: 'LOAD_FAILED' })
  expect(error.message).toContain('not on a worker')
  await expectAlive()
})

test('a module that cannot be bundled', async () => {
  const { broken } = await mesh.importModule<{ broken: Task<[], number> }>(
    'broken.mjs',
    `import { task } from 'costate'
     export const load = () => import('./missing.mjs')
     export const broken = task(import.meta, 'broken', async () => 1)`,
  )
  const error = await rejectionOf(mesh.cluster.submit(broken).result())
  expect(error.message).toContain('missing.mjs')
})

test('a module that starts a cluster when it is imported', async () => {
  const { greedy } = await mesh.importModule<{ greedy: Task<[], number> }>(
    'greedy.mjs',
    `import { isMainThread } from 'node:worker_threads'
     import { createLocalCluster, task } from 'costate'
     export const cluster = isMainThread ? undefined : await createLocalCluster()
     export const greedy = task(import.meta, 'greedy', async () => 1)`,
  )
  const error = await rejectionOf(mesh.cluster.submit(greedy).result())
  expect(error).toMatchObject({ kind: 'bundle', reason: 'CLUSTER_ON_IMPORT' })
  expect(error.message).toContain('main(import.meta')
})

test('a task that its module does not export', async () => {
  const error = await rejectionOf(mesh.cluster.submit(tasks.hide()).result())
  expect(error).toMatchObject({ kind: 'bundle', reason: 'NOT_EXPORTED' })
})

test('an unknown registered task', async () => {
  expect(await rejectionOf(mesh.cluster.submitRegistered('nobody').result())).toMatchObject({
    code: 'NOT_FOUND',
    reason: 'TASK_NOT_REGISTERED',
  })
})

test('a task whose input failed, and one behind it', async () => {
  const failed = mesh.cluster.submit(tasks.fail, 'first')
  const second = mesh.cluster.submit(tasks.echo, failed)
  const error = await rejectionOf(mesh.cluster.submit(tasks.echo, { deep: [second] }).result())
  expect(error).toMatchObject({ kind: 'input', reason: 'INPUT_FAILED' })
  expect(error.message).toContain('first')
})

test('NaN, infinities, −0 and empty arrays come back bit for bit, inline, as blob and scattered', async () => {
  const special = [NaN, Infinity, -Infinity, -0, 0, 5e-324, Number.MAX_VALUE]
  const large = Float64Array.from({ length: 50_000 }, (_, i) => special[i % special.length] as number)
  for (const array of [Float64Array.from(special), new Float64Array(0), large]) {
    const scattered = await mesh.cluster.scatter(array)
    const back = [
      await mesh.cluster.submit(tasks.echo, array).result(),
      await mesh.cluster.submit(tasks.echo, scattered).result(),
      await scattered.result(),
    ] as Float64Array[]
    for (const one of back) expect(bytesOf(one).equals(bytesOf(array))).toBe(true)
    scattered.release()
  }
  const numbers = (await mesh.cluster.submit(tasks.echo, special).result()) as number[]
  expect(numbers.every((x, i) => Object.is(x, special[i]))).toBe(true)
})

test('a running task is cancelled, and one over its timeout is stopped; the slot is free again', async () => {
  const spinning = mesh.cluster.submit(tasks.spin, 60_000)
  await spinning.job.submitted
  await spinning.cancel()
  expect(await rejectionOf(spinning.result())).toMatchObject({ name: 'TaskCancelledError' })
  expect(await rejectionOf(mesh.cluster.with({ timeout: 50 }).submit(tasks.spin, 60_000).result())).toMatchObject({
    kind: 'timeout',
  })
  await expectAlive()
})

function bytesOf(array: Float64Array): Buffer {
  return Buffer.from(array.buffer, array.byteOffset, array.byteLength)
}

test('a map of three thousand arrays, more than a message holds, is done', async () => {
  const grids = Array.from({ length: 3_000 }, (_, i) => new Float64Array(3_000).fill(i % 2))
  const sums = await mesh.cluster.gather(mesh.cluster.map(tasks.sum, grids))
  expect(sums).toEqual(grids.map((_, i) => (i % 2) * 3_000))
})

test('an argument that is too large without its arrays is refused at once, and nothing else suffers', async () => {
  const running = mesh.cluster.submit(tasks.spin, 200)
  for (const large of ['x'.repeat(20_000_000), Array.from({ length: 200_000 }, (_, i) => `name ${i}`)]) {
    expect(() => mesh.cluster.submit(tasks.echo, large)).toThrow(/^argument 0 of task echo takes/)
  }
  const arrays = Array.from({ length: 100 }, (_, i) => new Float64Array(3_000).fill(i))
  expect(await mesh.cluster.submit(tasks.echo, { arrays }).result()).toEqual({ arrays })
  expect(await running.result()).toBe(200)
  await expectAlive()
})
