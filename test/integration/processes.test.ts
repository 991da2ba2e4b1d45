import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { writeFile } from 'node:fs/promises'
import path from 'node:path'
import { createInterface } from 'node:readline'

import { asCompleted, connect, createInlineCluster, type Task, wait } from 'costate'
import { afterAll, beforeAll, expect, test } from 'vitest'

import { findMeshProcesses, meshDirOf } from '#libs/lifecycle'

import { type LocalMesh, startLocalMesh } from '../harness/local-mesh.js'

interface Tasks {
  readonly double: Task<[number], number>
  readonly add: Task<[number, number], number>
  readonly ramp: Task<[number], Float64Array>
  readonly sum: Task<[Float64Array], number>
  readonly draw: Task<[number], Float64Array>
  readonly talk: Task<[string], number>
  readonly resume: Task<[number], number>
  readonly pid: Task<[number], number>
}

const source = `
import { task } from 'costate'
export const double = task(import.meta, 'double', async (x) => 2 * x)
export const add = task(import.meta, 'add', async (a, b) => a + b)
export const ramp = task(import.meta, 'ramp', async (n) => Float64Array.from({ length: n }, (_, i) => i))
export const sum = task(import.meta, 'sum', async (xs) => xs.reduce((total, x) => total + x, 0))
export const draw = task(import.meta, 'draw', async (n, ctx) => ctx.rng.uniforms(n))
export const talk = task(import.meta, 'talk', async (word, ctx) => {
  console.log('said', word)
  ctx.log.warn('warned', { word })
  ctx.progress(1, { message: word, iteration: 7, cost: 0.5 })
  return ctx.attempt
})
export const resume = task(import.meta, 'resume', async (x, ctx) => {
  const before = await ctx.checkpoint.load()
  await ctx.checkpoint.save({ x, path: new Float64Array([x, x]) }, { iteration: 3, cost: 0.25 })
  const after = await ctx.checkpoint.load()
  return before === undefined && after.state.path[1] === x && after.iteration === 3 ? after.version : -1
})
export const pid = task(import.meta, 'pid', async (ms) => {
  const end = Date.now() + ms
  while (Date.now() < end);
  return process.pid
})
`

let mesh: LocalMesh
let tasks: Tasks

beforeAll(async () => {
  mesh = await startLocalMesh()
  tasks = await mesh.importModule<Tasks>('tasks.mjs', source)
})

afterAll(async () => mesh.close())

test('futures are arguments at any depth, and large values go from worker to worker', async () => {
  const { cluster } = mesh
  const ramps = cluster.map(tasks.ramp, [100_000, 200_000])
  const sums = ramps.map((ramp) => cluster.submit(tasks.sum, ramp))
  expect(await cluster.submit(tasks.add, sums[0] as never, sums[1] as never).result()).toBe(
    4_999_950_000 + 19_999_900_000,
  )
  expect((await (ramps[1] as (typeof ramps)[0]).result()).length).toBe(200_000)
})

test('a graph is one job', async () => {
  const sum = mesh.cluster.graph((g) => {
    const left = g.task(tasks.double, 3)
    const right = g.task(tasks.double, left)
    return g.task(tasks.add, left, right)
  })
  expect(await sum.result()).toBe(18)
  expect(sum.job.futures).toHaveLength(3)
})

test('futures as they settle, with more added on the way', async () => {
  const completion = asCompleted(mesh.cluster.map(tasks.double, [1, 2]))
  const seen: number[] = []
  for await (const future of completion) {
    const value = await future.result()
    seen.push(value)
    if (value === 4) completion.add(mesh.cluster.submit(tasks.double, 50))
  }
  expect(seen.sort((a, b) => a - b)).toEqual([2, 4, 100])
  const { done, pending } = await wait(mesh.cluster.map(tasks.double, [5, 6]))
  expect([done.length, pending.length]).toEqual([2, 0])
})

test('the same random numbers whatever the cluster, and inline too', async () => {
  const seeded = mesh.cluster.with({ seed: 20240101 })
  const drawn = await seeded.gather(seeded.map(tasks.draw, [4, 4, 4]))
  const inline = createInlineCluster().with({ seed: 20240101 })
  expect(await inline.gather(inline.map(tasks.draw, [4, 4, 4]))).toEqual(drawn)
  // Published with the stream convention: seed 20240101, stream 0.
  expect(drawn[0]?.[0]).toBe(0.7699028693356296)
})

test('what a task says reaches the client, with its ids', async () => {
  const future = mesh.cluster.submit(tasks.talk, 'hello')
  const lines: string[] = []
  const reported = new Promise((resolve) => future.job.onProgress(resolve))
  const warned = new Promise<void>((resolve) =>
    future.job.onLog(({ level, text, taskId }) => {
      lines.push(`${level} ${text} ${taskId === future.id}`)
      if (level === 'warn') resolve()
    }),
  )
  await future.result()
  await warned
  expect(lines).toEqual(['info said hello true', "warn warned { word: 'hello' } true"])
  expect(await reported).toMatchObject({ taskId: future.id, fraction: 1, message: 'hello', iteration: 7, cost: 0.5 })
})

test('a checkpoint is saved and loaded through the checkpoint-store', async () => {
  expect(await mesh.cluster.submit(tasks.resume, 5).result()).toBe(1)
})

test('another client finds a job by its name, with its results', async () => {
  const futures = mesh.cluster.map(tasks.double, [10, 20])
  await (futures[0] as (typeof futures)[0]).persist('tens')
  const other = await connect('test')
  const job = await other.attach('tens')
  expect(await other.gather(job.futures)).toEqual([20, 40])
  await expect(other.scale(3)).rejects.toMatchObject({ reason: 'NOT_THE_OWNER' })
  await other.close()
})

test('a worker that is killed: its task runs again elsewhere, its results are computed again', async () => {
  const { cluster } = mesh
  const ramp = cluster.submit(tasks.ramp, 50_000)
  await ramp.settled()
  const running = cluster.submit(tasks.pid, 1_500)
  const holder = (await cluster.workers()).find(({ id }) => id === ramp.timing?.workerId)
  process.kill((holder as { pid: number }).pid, 'SIGKILL')
  expect((await ramp.result()).length).toBe(50_000)
  expect(await running.result()).not.toBe(holder?.pid)
  await cluster.waitForWorkers(2)
})

test('scaling up starts workers, scaling down stops those that are idle and hold nothing', async () => {
  await using other = await startLocalMesh({ name: 'scaling', workers: 1 })
  const { cluster } = other
  await cluster.scale(3)
  await cluster.waitForWorkers(3)
  const kept = await cluster.scatter(new Float64Array([1]))
  await cluster.scale(1)
  await expect.poll(async () => (await cluster.workers()).map(({ id }) => id)).toEqual(kept.workerIds)
  cluster.adapt({ minimum: 2, maximum: 3 })
  await cluster.waitForWorkers(2)
})

test('a client that dies in the middle of a job loses nothing of others, and its own cluster ends with it', async () => {
  const script = path.join(mesh.userDir, 'victim.mjs')
  await writeFile(
    script,
    `import { createLocalCluster } from 'costate'
     import { pid } from './tasks.mjs'
     const cluster = await createLocalCluster({ workers: 1, runDir: ${JSON.stringify(path.join(mesh.runDir, 'victim'))} })
     cluster.submit(pid, 60_000)
     console.log(cluster.name)
     setInterval(() => undefined, 1_000)`,
  )
  const mine = mesh.cluster.map(tasks.double, [1, 2, 3])
  const victim = spawn(process.execPath, [script], { stdio: ['ignore', 'pipe', 'inherit'] })
  const [name] = (await once(createInterface({ input: victim.stdout }), 'line')) as [string]
  // A scheduler, a store and a worker.
  expect(await findMeshProcesses(meshDirOf(name))).toHaveLength(3)
  victim.kill('SIGKILL')
  await expect.poll(() => findMeshProcesses(meshDirOf(name))).toEqual([])
  expect(await mesh.cluster.gather(mine)).toEqual([2, 4, 6])
})

test('a closed cluster says so', async () => {
  const other = await connect('test')
  await other.close()
  expect(() => other.submit(tasks.double, 1)).toThrow('closed')
})
