import { afterEach, expect, test, vi } from 'vitest'

import { WarmMemory } from './warm-memory.js'

afterEach(() => vi.useRealTimers())

const length = 2 ** 20
const bodyOf = (fill: number, byteLength = length): Uint8Array<ArrayBuffer> => new Uint8Array(byteLength).fill(fill)
const warmOf = (mostBytes = 4 * length) => new WarmMemory({ mostBytes, idleMs: 1_000 })

test('memory is used again for a body of the same length, and for no other', () => {
  const warm = warmOf()
  warm.give(bodyOf(7))
  expect(warm.take(length - 1)).toBeUndefined()
  expect(warm.take(length + 1)).toBeUndefined()
  expect(warm.take(length)?.[0]).toBe(7)
  expect(warm.take(length)).toBeUndefined()
  expect(warm.byteLength).toBe(0)
})

test('whoever has a view of what was given sees nothing of what comes into it later', () => {
  const warm = warmOf()
  const old = bodyOf(7)
  const views = [old.subarray(10), new Float64Array(old.buffer)]
  warm.give(old)
  const next = warm.take(length)
  next?.fill(9)
  expect([old, ...views].map(({ byteLength }) => byteLength)).toEqual([0, 0, 0])
})

test('what somebody reads is not used again, however often it is given', () => {
  const warm = warmOf()
  const read = bodyOf(7)
  warm.hold(read)
  warm.hold(read)
  warm.leave(read)
  warm.give(read)
  expect(warm.take(length)).toBeUndefined()
  expect(read[length - 1]).toBe(7)
  warm.leave(read)
  warm.give(read)
  expect(warm.take(length)).toBeDefined()
})

test('a part of a buffer is not given, nor what is too short', () => {
  const warm = warmOf()
  const part = bodyOf(7, length + 8).subarray(8)
  const short = bodyOf(7, length - 1)
  warm.give(part)
  warm.give(short)
  expect([warm.byteLength, part[0], short[0]]).toEqual([0, 7, 7])
})

test('the oldest goes back to the system when there is more than the limit', () => {
  const warm = warmOf(2 * length)
  for (const byteLength of [length, length + 1, length + 2]) warm.give(bodyOf(7, byteLength))
  warm.give(bodyOf(7, 3 * length))
  expect(warm.byteLength).toBe(length + 2)
  expect([length, length + 1, length + 2].map((byteLength) => warm.take(byteLength)?.byteLength)).toEqual([
    undefined,
    undefined,
    length + 2,
  ])
})

test('all of it goes back when nobody has given anything for a while', () => {
  vi.useFakeTimers()
  const warm = warmOf()
  const before = process.memoryUsage().arrayBuffers
  warm.give(bodyOf(7))
  vi.advanceTimersByTime(900)
  warm.give(bodyOf(7))
  vi.advanceTimersByTime(900)
  expect(warm.byteLength).toBe(2 * length)
  vi.advanceTimersByTime(200)
  expect(warm.byteLength).toBe(0)
  expect(process.memoryUsage().arrayBuffers).toBeLessThan(before + length)
  warm.give(bodyOf(7))
  vi.advanceTimersByTime(1_100)
  expect(warm.byteLength).toBe(0)
})
