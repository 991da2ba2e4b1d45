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
  cache.keep('a', a)
  cache.keep('b', b)
  expect(cache.get('a')).toBe(a)
  cache.keep('c', c)
  expect([cache.get('a'), cache.get('b'), cache.get('c')]).toEqual([a, undefined, c])
})

test('what is larger than all the room, or comes where there is none, is not kept', () => {
  const cache = createInputCache(100)
  cache.keep('small', bodyOf(1))
  cache.keep('large', bodyOf(101))
  expect(cache.get('large')).toBeUndefined()
  expect(cache.get('small')).toBeDefined()
  const none = createInputCache(0)
  none.keep('small', bodyOf(0))
  expect(none.get('small')).toBeUndefined()
})

test('memory goes back when nobody has asked for a minute', async () => {
  vi.useFakeTimers()
  const cache = createInputCache(100)
  cache.keep('a', bodyOf(1))
  await vi.advanceTimersByTimeAsync(50_000)
  expect(cache.get('a')).toBeDefined()
  await vi.advanceTimersByTimeAsync(50_000)
  expect(cache.get('a')).toBeDefined()
  await vi.advanceTimersByTimeAsync(91_000)
  expect(cache.get('a')).toBeUndefined()
})
