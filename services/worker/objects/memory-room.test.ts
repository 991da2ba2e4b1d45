import { expect, test } from 'vitest'

import { memoryPolicyOf } from './memory-policy.js'
import { createMemoryRoom } from './memory-room.js'
import { createObjectStore } from './object-store.js'

function createLab() {
  const now = { ms: 0, rssBytes: 700 }
  const room = createMemoryRoom(
    createObjectStore(),
    memoryPolicyOf(1000, 0.6),
    () => now.rssBytes,
    () => now.ms,
  )
  const entered: number[] = []
  const gone: (() => void)[] = []
  const take = (byteLength: number): void =>
    void room.take(byteLength).then((isHere) => {
      entered.push(byteLength)
      gone.push(isHere)
    })
  /** Who was let in, after the promises have had their turn. */
  const look = async (change: Partial<typeof now> = {}): Promise<number[]> => {
    Object.assign(now, change)
    room.admit()
    await new Promise(setImmediate)
    return entered.splice(0)
  }
  return { room, take, look, gone }
}

test('what fits comes in at once, and what is on its way counts', async () => {
  const { room, take, look, gone } = createLab()
  take(60)
  expect(await look()).toEqual([60])
  take(50)
  expect(await look()).toEqual([])
  expect(room.isWanted).toBe(true)
  gone[0]?.()
  expect(await look()).toEqual([50])
  expect(room.isWanted).toBe(false)
})

test('who waits comes in one after another, in order, also before what would fit', async () => {
  const { take, look, gone } = createLab()
  for (const byteLength of [200, 10, 20]) take(byteLength)
  expect(await look()).toEqual([])
  expect(await look({ rssBytes: 500 })).toEqual([200])
  gone[0]?.()
  expect(await look()).toEqual([10])
  expect(await look()).toEqual([20])
})

test('without any room one is let in after a while, and then the next', async () => {
  const { take, look } = createLab()
  take(500)
  take(500)
  expect(await look({ ms: 1_900 })).toEqual([])
  expect(await look({ ms: 2_000 })).toEqual([500])
  expect(await look({ ms: 3_900 })).toEqual([])
  expect(await look({ ms: 4_000 })).toEqual([500])
})
