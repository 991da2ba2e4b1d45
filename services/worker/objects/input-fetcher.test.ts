import { expect, test } from 'vitest'

import type { Result } from '#libs/proto'
import { type Sink, type TransferPool, type TransferTarget, xxh64Of } from '#libs/transfer'

import { keyOf, type TaskOrder } from '../core/state.js'
import { createInputCache } from './input-cache.js'
import { createInputFetcher, type WantedInput } from './input-fetcher.js'
import { createObjectStore } from './object-store.js'

const few = new Uint8Array(Float64Array.from({ length: 100_000 }, (_, k) => k).buffer)
const many = new Uint8Array(Float64Array.from({ length: 200_000 }, (_, k) => k).buffer)

/** A worker with others, and a checkpoint-store, that have whatever is asked for. */
function setUp(cacheBytes = 2 * few.byteLength, numbers = few) {
  const asked: string[] = []
  const stream = {
    get: async (target: TransferTarget, open: (header: object) => Sink) => {
      asked.push(target.$case === 'blobDigest' || target.$case === 'objectId' ? target.value : target.$case)
      const sink = open({ structure: undefined, byteLength: BigInt(numbers.byteLength) })
      await sink.write(numbers)
      await sink.commit(Buffer.alloc(8))
    },
  }
  const pool = { worker: () => stream, store: () => stream } as unknown as TransferPool
  const fetcher = createInputFetcher(createObjectStore(), createInputCache(cacheBytes), pool, async () => ['store:1'])
  let attempts = 0
  /** What a task gets that takes this input and has ended before the next one comes. */
  const take = async (wanted: WantedInput) => {
    const order = { taskId: 'j/0', epoch: 1, attempt: ++attempts, inputs: [wanted], trace: {} } as unknown as TaskOrder
    await fetcher.fetch(order)
    const [input] = fetcher.inputsOf(keyOf(order)).values()
    fetcher.drop(keyOf(order))
    return input
  }
  return { take, asked }
}

const objectOf = (xxh64 = xxh64Of([few])): WantedInput => {
  const value = { objectId: 'o-1', structure: undefined, byteLength: BigInt(few.byteLength), xxh64 }
  const result: Result = { location: { $case: 'object', value }, holders: [{ workerId: 'w-2', addresses: ['w:2'] }] }
  return { kind: 'object', input: { objectId: 'o-1', result, madeBy: undefined } }
}

const blob: WantedInput = {
  kind: 'blob',
  blob: { digest: 'ab'.repeat(32), byteLength: BigInt(few.byteLength), structure: undefined },
}

test.each([
  ['an object of another worker', objectOf()],
  ['a blob of the checkpoint-store', blob],
])('%s that task after task takes is fetched once', async (_name, wanted) => {
  const { take, asked } = setUp()
  const first = await take(wanted)
  expect(first?.kind === 'body' && Buffer.from(few.buffer).equals(first.bytes)).toBe(true)
  for (let k = 0; k < 20; k++) expect(await take(wanted)).toBe(first)
  expect(asked).toHaveLength(1)
})

test('an object that was computed again, and is another one now, is fetched again', async () => {
  const { take, asked } = setUp()
  await take(objectOf(1n))
  await take(objectOf(2n))
  expect(asked).toEqual(['o-1', 'o-1'])
})

test('a worker that keeps nothing fetches for every task', async () => {
  const { take, asked } = setUp(0)
  for (let k = 0; k < 3; k++) await take(blob)
  expect(asked).toHaveLength(3)
})

test('a large input that tasks take one after the other is the first one’s own, and shared from the second fetch on', async () => {
  const { take, asked } = setUp(2 * many.byteLength, many)
  expect(await take(blob)).toHaveProperty('isSpare', true)
  const second = await take(blob)
  expect(second).not.toHaveProperty('isSpare')
  for (let k = 0; k < 5; k++) expect(await take(blob)).toBe(second)
  expect(asked).toHaveLength(2)
})

test('a large input that tasks take at the same time is nobody’s own', async () => {
  const { take, asked } = setUp(2 * many.byteLength, many)
  const [one, two] = await Promise.all([take(blob), take(blob)])
  expect(one).not.toHaveProperty('isSpare')
  expect(two).toBe(one)
  expect(asked).toHaveLength(1)
})
