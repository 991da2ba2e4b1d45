import { afterEach, expect, test, vi } from 'vitest'

import type { Task } from 'costate'

import { type LocalMesh, startLocalMesh } from '../harness/local-mesh.js'

const source = `
import { task } from 'costate'
export const ramp = task(import.meta, 'ramp', (n) => Float64Array.from({ length: n }, (_, k) => k))
export const sum = task(import.meta, 'sum', (xs) => xs.reduce((a, b) => a + b, 0))
`

interface Tasks {
  readonly ramp: Task<[number], Float64Array>
  readonly sum: Task<[Float64Array], number>
}

const length = 1_000_000
const total = (length * (length - 1)) / 2
const ramp = (): Float64Array => Float64Array.from({ length }, (_, k) => k)

let mesh: LocalMesh

afterEach(async () => {
  vi.unstubAllEnvs()
  await mesh.close()
})

async function start(workers: number): Promise<Tasks> {
  mesh = await startLocalMesh({ workers })
  return await mesh.importModule<Tasks>('tasks.mjs', source)
}

/** What the task finds on each of the workers. */
async function sumsOn({ sum }: Tasks, workerIds: readonly string[], object: unknown): Promise<number[]> {
  const futures = workerIds.map((id) => mesh.cluster.with({ workers: [id] }).submit(sum, object as Float64Array))
  return await mesh.cluster.gather(futures)
}

test.each(['on', 'off'])(
  'a broadcast is on every worker, with shared memory %s',
  async (sharing) => {
    vi.stubEnv('COSTATE_SHARED_MEMORY', sharing)
    const tasks = await start(4)
    const object = await mesh.cluster.scatter(ramp(), { broadcast: true })
    expect(new Set(object.workerIds).size).toBe(4)
    const workers = await mesh.cluster.workers()
    expect(workers.map(({ heldObjects }) => heldObjects)).toEqual([1, 1, 1, 1])
    expect(await sumsOn(tasks, object.workerIds, object)).toEqual(Array(4).fill(total))
    object.release()
    await expect
      .poll(async () => (await mesh.cluster.workers()).reduce((sum, worker) => sum + worker.heldObjects, 0))
      .toBe(0)
  },
  60_000,
)

test('workers that are killed during a broadcast are left out; the others have it whole', async () => {
  // The body is passed on from worker to worker.
  vi.stubEnv('COSTATE_SHARED_MEMORY', 'off')
  const tasks = await start(5)
  const pids = new Map((await mesh.cluster.workers()).map(({ id, pid }) => [id, pid]))
  const [first, , third] = [...pids.keys()].sort()
  const scattering = mesh.cluster.scatter(ramp(), { broadcast: true })
  for (const id of [first, third]) process.kill(pids.get(id ?? '') ?? 0, 'SIGKILL')
  const object = await scattering
  const left = object.workerIds.filter((id) => id !== first && id !== third)
  expect(left).toHaveLength(3)
  expect(await sumsOn(tasks, left, object)).toEqual(Array(3).fill(total))
}, 150_000)

test('copies of a result outlive the worker that made it: nothing is computed again', async () => {
  const tasks = await start(3)
  const { cluster } = mesh
  const [maker] = await cluster.workers()
  const made = cluster.with({ workers: [maker?.id ?? ''] }).submit(tasks.ramp, length)
  const holders = await cluster.replicate(made, { copies: 2 })
  expect([holders.length, holders.includes(maker?.id ?? '')]).toEqual([2, true])
  expect(await cluster.replicate(made, { copies: 2 })).toHaveLength(2)
  process.kill(maker?.pid ?? 0, 'SIGKILL')
  // A task that takes it after the loss is known would find it computed again.
  await expect
    .poll(async () => (await cluster.workers()).some(({ id }) => id === maker?.id), { timeout: 30_000 })
    .toBe(false)
  expect(await cluster.submit(tasks.sum, made).result()).toBe(total)
  const runs = (await cluster.story(made)).filter(({ text }) => text.includes('started'))
  expect(runs.length).toBeLessThanOrEqual(1)
}, 90_000)

test('a scattered value goes to the workers that are named; a small result is held by nobody', async () => {
  const tasks = await start(3)
  const { cluster } = mesh
  const ids = (await cluster.workers()).map(({ id }) => id)
  const object = await cluster.scatter(ramp(), { workers: ids.slice(0, 1) })
  const holders = await cluster.replicate(object, { workers: ids.slice(1, 2) })
  expect(holders).toEqual(ids.slice(0, 2))
  expect(await sumsOn(tasks, ids, object)).toEqual(Array(3).fill(total))
  expect(await cluster.replicate(cluster.submit(tasks.ramp, 3))).toEqual([])
  await expect(cluster.replicate(object, { workers: ['nobody'] })).rejects.toThrow('there is no worker nobody')
}, 60_000)
