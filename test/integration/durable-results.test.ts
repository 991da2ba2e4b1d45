import { readdir } from 'node:fs/promises'
import path from 'node:path'

import { afterAll, beforeAll, describe, expect, test } from 'vitest'

import { connect, type Task, type TaskFuture } from 'costate'

import { type LocalMesh, startLocalMesh } from '../harness/local-mesh.js'

const source = `
import { task } from 'costate'
export const ramp = task(import.meta, 'ramp', (n) => Float64Array.from({ length: n }, (_, k) => k))
`

interface Tasks {
  readonly ramp: Task<[number], Float64Array>
}

const length = 100_000
const timeout = 60_000

/** Ends the only worker, by no means in order; another one takes its place. */
async function killWorker({ cluster }: LocalMesh): Promise<void> {
  const [worker] = await cluster.workers()
  process.kill(worker?.pid ?? 0, 'SIGKILL')
}

async function eventsOf({ cluster }: LocalMesh, future: TaskFuture<unknown>): Promise<string[]> {
  return (await cluster.story(future)).map(({ event }) => event)
}

/** The bodies that the checkpoint-store has, by their digests. */
async function chunksIn({ meshDir }: LocalMesh): Promise<string[]> {
  const folder = path.join(meshDir, 'data', 'store', 'chunks')
  const entries = await readdir(folder, { recursive: true, withFileTypes: true })
  const files = entries.filter((entry) => entry.isFile() && path.basename(entry.parentPath) !== 'temporary')
  return files.map(({ name }) => name).sort()
}

test('where that is asked for, a large result outlives the crash of the worker that made it, and is not computed again', async () => {
  await using mesh = await startLocalMesh({ workers: 1, durableResults: '500KB' })
  const { ramp } = await mesh.importModule<Tasks>('tasks.mjs', source)
  const { cluster } = mesh
  const made = cluster.submit(ramp, length)
  await made.settled()
  await expect.poll(() => cluster.explain(made), { timeout }).toContain('in the checkpoint-store')
  await killWorker(mesh)
  expect((await made.result()).at(-1)).toBe(length - 1)
  expect(await eventsOf(mesh, made)).not.toContain('taskReopened')
}, 90_000)

describe('results of a detached job, with nothing asked for', () => {
  let mesh: LocalMesh
  let tasks: Tasks

  beforeAll(async () => {
    mesh = await startLocalMesh({ workers: 1 })
    tasks = await mesh.importModule<Tasks>('tasks.mjs', source)
  })
  afterAll(() => mesh.close())

  test('outlive the crash of the worker: another client has them, and none is computed again', async () => {
    const futures = mesh.cluster.with({ detached: true }).map(tasks.ramp, [length, length + 1])
    await Promise.all(futures.map((future) => future.settled()))
    for (const future of futures) {
      await expect.poll(() => mesh.cluster.explain(future), { timeout }).toContain('in the checkpoint-store')
    }
    await killWorker(mesh)
    const other = await connect('test')
    const job = await other.attach(futures[0]?.job.id ?? '')
    const results = (await other.gather(job.futures)) as unknown as Float64Array[]
    expect(results.map((xs) => xs.at(-1))).toEqual([length - 1, length])
    for (const future of futures) expect(await eventsOf(mesh, future)).not.toContain('taskReopened')
    await other.close()
  }, 90_000)

  test('take no room in the checkpoint-store any more once they are released', async () => {
    // The module is there from now on, and nothing else of this job.
    await mesh.cluster.submit(tasks.ramp, 1).result()
    const before = await chunksIn(mesh)
    const made = mesh.cluster.with({ detached: true }).submit(tasks.ramp, length + 2)
    await made.settled()
    await expect.poll(() => mesh.cluster.explain(made), { timeout }).toContain('in the checkpoint-store')
    expect(await chunksIn(mesh)).toHaveLength(before.length + 1)
    made.release()
    await expect.poll(() => chunksIn(mesh), { timeout }).toEqual(before)
  }, 90_000)
})
