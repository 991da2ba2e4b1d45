import { afterEach, expect, test, vi } from 'vitest'

import { createInputCache, type FetchedBody } from './input-cache.js'

afterEach(() => {
  vi.useRealTimers()
})

const bodyOf = (byteLength: number): FetchedBody => ({
  kind: 'body',
  structure: undefined,
  bytes: new Uint8Array(byteLength),
})

test('what was asked for last stays, as far as there is room', () => {
  const cache = createInputCache(100)
  const [a, b, c] = [bodyOf(40), bodyOf(40), bodyOf(40)]
  cache.keep('a', a, 1)
  cache.keep('b', b, 1)
  expect(cache.get('a')).toBe(a)
  cache.keep('c', c, 1)
  expect([cache.get('a'), cache.get('b'), cache.get('c')]).toEqual([a, undefined, c])
})

test('what is larger than all the room, or comes where there is none, is not kept', () => {
  const cache = createInputCache(100)
  cache.keep('small', bodyOf(1), 1)
  cache.keep('large', bodyOf(101), 1)
  expect(cache.get('large')).toBeUndefined()
  expect(cache.get('small')).toBeDefined()
  const none = createInputCache(0)
  none.keep('small', bodyOf(0), 1)
  expect(none.get('small')).toBeUndefined()
})

test('memory goes back when nobody has asked for a minute', async () => {
  vi.useFakeTimers()
  const cache = createInputCache(100)
  cache.keep('a', bodyOf(1), 1)
  await vi.advanceTimersByTimeAsync(50_000)
  expect(cache.get('a')).toBeDefined()
  await vi.advanceTimersByTimeAsync(50_000)
  expect(cache.get('a')).toBeDefined()
  await vi.advanceTimersByTimeAsync(91_000)
  expect(cache.get('a')).toBeUndefined()
})

test('a large body that one task takes is the task’s; the second time it is kept for all', () => {
  const cache = createInputCache(10 * 2 ** 20)
  const [first, second, other] = [bodyOf(2 ** 20), bodyOf(2 ** 20), bodyOf(2 ** 20)]
  const own = cache.keep('a', first, 1)
  expect(own.isSpare).toBe(true)
  expect(own.bytes).toBe(first.bytes)
  expect(cache.get('a')).toBeUndefined()
  expect(cache.keep('b', other, 1).isSpare).toBe(true)
  expect(cache.keep('a', second, 1)).toBe(second)
  expect(cache.get('a')).toBe(second)
})

test('a large body that several tasks wait for is kept at once', () => {
  const cache = createInputCache(10 * 2 ** 20)
  const body = bodyOf(2 ** 20)
  expect(cache.keep('a', body, 2)).toBe(body)
  expect(cache.get('a')).toBe(body)
})
