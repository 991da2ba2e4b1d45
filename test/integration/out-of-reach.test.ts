import { afterEach, expect, test } from 'vitest'

import type { Task } from 'costate'

import { type LocalMesh, startLocalMesh } from '../harness/local-mesh.js'
import { type AddedService, addService } from '../harness/service.js'

const source = `
import { task } from 'costate'
export const ramp = task(import.meta, 'ramp', (n) => Float64Array.from({ length: n }, (_, k) => k))
export const sum = task(import.meta, 'sum', (...all) => all.slice(0, -1).reduce((s, xs) => s + xs.reduce((a, b) => a + b, 0), 0))
`

interface Tasks {
  readonly ramp: Task<[number], Float64Array>
  readonly sum: Task<Float64Array[], number>
}

const length = 100_000
const total = (length * (length - 1)) / 2

let mesh: LocalMesh
let hidden: AddedService | undefined

afterEach(async () => {
  await hidden?.stop()
  hidden = undefined
  await mesh.close()
})

/** A worker that can dial everybody, but whom nobody can dial: nothing listens at the address that it names. */
async function startHiddenWorker(): Promise<string> {
  const known = new Set((await mesh.cluster.workers()).map(({ id }) => id))
  hidden = await addService(mesh.meshDir, 'worker', ['--advertise-address', '127.0.0.1:1'])
  await mesh.cluster.waitForWorkers(known.size + 1)
  const worker = (await mesh.cluster.workers()).find(({ id }) => !known.has(id))
  if (worker === undefined) throw new Error('the hidden worker did not come')
  return worker.id
}

test('what a worker holds that nobody can dial comes through the checkpoint-store, to the program and to other workers', async () => {
  mesh = await startLocalMesh({ workers: 1 })
  const { ramp, sum } = await mesh.importModule<Tasks>('tasks.mjs', source)
  const { cluster } = mesh
  const [reachable] = await cluster.workers()
  const id = await startHiddenWorker()

  const made = cluster.with({ workers: [id] }).submit(ramp, length)
  expect((await made.result()).at(-1)).toBe(length - 1)
  const other = cluster.with({ workers: [id] }).submit(ramp, length)
  await other.settled()
  expect(
    await cluster
      .with({ workers: [reachable?.id ?? ''] })
      .submit(sum, other)
      .result(),
  ).toBe(total)

  const scattered = await cluster.scatter(
    Float64Array.from({ length }, (_, k) => k),
    { workers: [id] },
  )
  expect((await scattered.result()).at(-1)).toBe(length - 1)
  expect(
    await cluster
      .with({ workers: [id] })
      .submit(sum, scattered)
      .result(),
  ).toBe(total)
}, 120_000)

test('a durable scattered value needs no worker, and outlives those that had it', async () => {
  mesh = await startLocalMesh({ workers: 1 })
  const { sum } = await mesh.importModule<Tasks>('tasks.mjs', source)
  const { cluster } = mesh
  const values = Float64Array.from({ length }, (_, k) => k)
  const alone = await cluster.scatter(values, { durable: true })
  const both = await cluster.scatter(values, { durable: true, broadcast: true })
  expect([alone.workerIds.length, both.workerIds.length]).toEqual([0, 1])
  expect(await cluster.submit(sum, alone, both).result()).toBe(2 * total)

  const [worker] = await cluster.workers()
  process.kill(worker?.pid ?? 0, 'SIGKILL')
  expect(await cluster.submit(sum, alone, both).result()).toBe(2 * total)
  expect((await both.result()).at(-1)).toBe(length - 1)
}, 60_000)
