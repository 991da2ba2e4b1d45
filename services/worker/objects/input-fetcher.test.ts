import { expect, test } from 'vitest'

import type { Result } from '#libs/proto'
import { type Sink, type TransferPool, type TransferTarget, xxh64Of } from '#libs/transfer'

import { keyOf, type TaskOrder } from '../core/state.js'
import { createInputCache } from './input-cache.js'
import { createInputFetcher, type WantedInput } from './input-fetcher.js'
import { memoryPolicyOf } from './memory-policy.js'
import { createMemoryRoom } from './memory-room.js'
import { createObjectStore } from './object-store.js'

const numbers = new Uint8Array(Float64Array.from({ length: 10_000 }, (_, k) => k).buffer)

/** A worker with others, and a checkpoint-store, that have whatever is asked for. */
function setUp(cacheBytes = 2 * numbers.byteLength, storeFails = false) {
  const asked: string[] = []
  const stream = {
    get: async (target: TransferTarget, open: (header: object) => Sink) => {
      asked.push(target.$case === 'blobDigest' || target.$case === 'objectId' ? target.value : target.$case)
      const sink = open({ structure: undefined, byteLength: BigInt(numbers.byteLength) })
      await sink.write(numbers)
      await sink.commit(Buffer.alloc(8))
    },
  }
  const brokenStream = { get: () => Promise.reject(new Error('no such blob')) }
  const store = (): object => (storeFails ? brokenStream : stream)
  const pool = { worker: () => stream, store } as unknown as TransferPool
  const objects = createObjectStore()
  const room = createMemoryRoom(objects, memoryPolicyOf(0, 0.6), () => 0)
  const fetcher = createInputFetcher(objects, room, createInputCache(cacheBytes), pool, async () => ['store:1'])
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

const objectOf = (xxh64 = xxh64Of([numbers])): WantedInput => {
  const value = { objectId: 'o-1', structure: undefined, byteLength: BigInt(numbers.byteLength), xxh64 }
  const result: Result = { location: { $case: 'object', value }, holders: [{ workerId: 'w-2', addresses: ['w:2'] }] }
  return { kind: 'object', input: { objectId: 'o-1', result, madeBy: undefined } }
}

const blob: WantedInput = {
  kind: 'blob',
  blob: { digest: 'ab'.repeat(32), byteLength: BigInt(numbers.byteLength), structure: undefined },
}

test.each([
  ['an object of another worker', objectOf()],
  ['a blob of the checkpoint-store', blob],
])('%s that task after task takes is fetched once', async (_name, wanted) => {
  const { take, asked } = setUp()
  const first = await take(wanted)
  expect(first).toMatchObject({ kind: 'body', bytes: numbers })
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

test('an object that was handed over comes from the checkpoint-store, or from who still holds it', async () => {
  const archived = (holders: Result['holders']): WantedInput => {
    const value = { objectId: 'o-1', structure: undefined, byteLength: BigInt(numbers.byteLength), xxh64: 1n }
    const result: Result = { location: { $case: 'object', value }, holders, blobDigest: 'blob' }
    return { kind: 'object', input: { objectId: 'o-1', result, madeBy: undefined } }
  }
  const holders = [{ workerId: 'w-2', addresses: ['w:2'] }]
  const whole = setUp()
  expect(await whole.take(archived([]))).toMatchObject({ kind: 'body', bytes: numbers })
  expect(whole.asked).toEqual(['blob'])
  const broken = setUp(0, true)
  expect(await broken.take(archived(holders))).toMatchObject({ kind: 'body', bytes: numbers })
  expect(broken.asked).toEqual(['o-1'])
  await expect(broken.take(archived([]))).rejects.toThrow('input o-1 could not be fetched: no such blob')
})
