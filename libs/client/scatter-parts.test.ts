import { expect, test } from 'vitest'

import type { TaskContext } from '#libs/task'
import { task } from '#libs/task'

import { createInlineCluster } from './inline-cluster.js'

const lengthOf = task(import.meta, 'lengthOf', async (xs: Float64Array, _: TaskContext) => xs.length)
const lengthOfAll = task(import.meta, 'lengthOfAll', async (parts: Float64Array[], _: TaskContext) => parts.length)

async function* chunksOf(count: number, length: number): AsyncGenerator<Float64Array> {
  for (let i = 0; i < count; i++) yield new Float64Array(length).fill(i)
}

async function collect<T>(chunks: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = []
  for await (const chunk of chunks) all.push(chunk)
  return all
}

test('what an async iterable gives is scattered one by one, comes back in order, and is an argument in parts', async () => {
  await using cluster = createInlineCluster()
  const scattered = await cluster.scatter(chunksOf(7, 10))
  expect(scattered.parts).toHaveLength(7)
  expect(scattered.byteLength).toBe(560)
  expect((await collect(scattered.chunks())).map(([first]) => first)).toEqual([0, 1, 2, 3, 4, 5, 6])
  expect(await cluster.gather(cluster.map(lengthOf, scattered.parts))).toEqual([10, 10, 10, 10, 10, 10, 10])
  expect(await cluster.submit(lengthOfAll, scattered.parts).result()).toBe(7)
  scattered.release()
  await expect(collect(scattered.chunks())).rejects.toMatchObject({ reason: 'RESULT_UNAVAILABLE' })
})

test('an array in parts: each has at most so many bytes, and together they are the array', async () => {
  await using cluster = createInlineCluster()
  const array = Int32Array.from({ length: 25 }, (_, i) => i)
  const scattered = await cluster.scatter(array, { chunkBytes: 41 })
  const chunks = await collect(scattered.chunks())
  expect(chunks.map(({ length }) => length)).toEqual([10, 10, 5])
  expect(chunks.flatMap((chunk) => [...chunk])).toEqual([...array])
  expect((await cluster.scatter(new Int32Array(0), { chunkBytes: '1MB' })).parts).toEqual([])
})

test('what makes no sense says what to give', async () => {
  await using cluster = createInlineCluster()
  await expect(cluster.scatter(new Float64Array(3), { chunkBytes: 7 })).rejects.toThrow('an element has 8 bytes')
  await expect(cluster.scatter({ a: 1 } as never, { chunkBytes: 100 })).rejects.toThrow('only a typed array')
})

test('when the source fails, what was scattered before is given up', async () => {
  await using cluster = createInlineCluster()
  async function* failing(): AsyncGenerator<Float64Array> {
    yield* chunksOf(3, 10)
    throw new Error('no more data')
  }
  await expect(cluster.scatter(failing())).rejects.toThrow('no more data')
  expect((await cluster.workers())[0]?.heldObjects).toBe(0)
})

test('who stops in the middle is not told of what comes after', async () => {
  await using cluster = createInlineCluster()
  const scattered = await cluster.scatter(chunksOf(5, 10))
  for await (const chunk of scattered.chunks()) {
    expect(chunk[0]).toBe(0)
    scattered.release()
    break
  }
})
