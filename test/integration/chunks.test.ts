import { afterAll, beforeAll, expect, test } from 'vitest'

import { Complex128Array, NdArray, type Task, type TaskFuture } from 'costate'

import { type LocalMesh, startLocalMesh } from '../harness/local-mesh.js'

const source = `
import { Complex128Array, NdArray, task } from 'costate'
export const ramp = task(import.meta, 'ramp', (n) => {
  if (n < 0) throw new RangeError('there is no array of that length')
  return Float64Array.from({ length: n }, (_, k) => k)
})
export const matrix = task(import.meta, 'matrix', (n) => new NdArray(new Complex128Array(Float64Array.from({ length: 2 * n * n }, (_, k) => k)), [n, n]))
export const record = task(import.meta, 'record', (n) => ({ ramp: new Float64Array(n) }))
`

interface Tasks {
  readonly ramp: Task<[number], Float64Array>
  readonly matrix: Task<[number], NdArray<Complex128Array>>
  readonly record: Task<[number], { ramp: Float64Array }>
}

const length = 300_000

let mesh: LocalMesh
let tasks: Tasks

beforeAll(async () => {
  mesh = await startLocalMesh({ workers: 1 })
  tasks = await mesh.importModule<Tasks>('tasks.mjs', source)
})
afterAll(() => mesh.close())

/** The lengths of the pieces, after a look at each of their elements. */
async function rampLengths(chunks: AsyncIterable<Float64Array>): Promise<number[]> {
  const lengths: number[] = []
  let start = 0
  for await (const chunk of chunks) {
    const first = start
    expect(chunk.every((value, k) => value === first + k)).toBe(true)
    lengths.push(chunk.length)
    start += chunk.length
  }
  return lengths
}

const pieces = [125_000, 125_000, 50_000]

test('an array streams in pieces from a worker, be it a result or scattered', async () => {
  const { cluster } = mesh
  expect(await rampLengths(cluster.submit(tasks.ramp, length).chunks({ chunkBytes: '1MB' }))).toEqual(pieces)
  const scattered = await cluster.scatter(Float64Array.from({ length }, (_, k) => k))
  expect(await rampLengths(scattered.chunks({ chunkBytes: '1MB' }))).toEqual(pieces)
  const small = cluster.submit(tasks.ramp, 100).chunks({ chunkBytes: 320 })
  expect(await rampLengths(small)).toEqual([40, 40, 20])
  expect(await rampLengths(cluster.submit(tasks.ramp, 0).chunks())).toEqual([])
})

test('an array with a shape streams as its elements, row by row', async () => {
  const parts: number[] = []
  let isComplex = true
  for await (const chunk of mesh.cluster.submit(tasks.matrix, 200).chunks({ chunkBytes: '200kB' })) {
    isComplex &&= chunk instanceof Complex128Array
    parts.push(...chunk.data)
  }
  expect(isComplex).toBe(true)
  expect(parts).toEqual(Array.from({ length: 80_000 }, (_, k) => k))
})

test('what is only whole, fails, or was given up has no pieces', async () => {
  const first = async (future: TaskFuture<unknown>): Promise<unknown> => await future.chunks().next()
  await expect(first(mesh.cluster.submit(tasks.record, length))).rejects.toThrow('no numeric array')
  await expect(first(mesh.cluster.submit(tasks.ramp, -1))).rejects.toThrow('no array of that length')
  const released = mesh.cluster.submit(tasks.ramp, length)
  await released.settled()
  released.release()
  await expect(first(released)).rejects.toMatchObject({ reason: 'RESULT_RELEASED' })
})

test('an array whose worker has left streams from the checkpoint-store', async () => {
  const { cluster } = mesh
  const made = cluster.submit(tasks.ramp, length)
  await made.settled()
  await cluster.scale(0)
  await expect.poll(async () => (await cluster.workers()).length, { timeout: 60_000 }).toBe(0)
  expect(await rampLengths(made.chunks({ chunkBytes: '1MB' }))).toEqual(pieces)
}, 90_000)
