import { expect, test } from 'vitest'

import { giveBack, SaveBuffers } from './save-buffers.js'

const stateBytes = 300_000

test('memory that was given back is lent again, and no other', () => {
  const buffers = new SaveBuffers()
  const first = buffers.take(stateBytes)!
  const second = buffers.take(stateBytes)!
  const third = buffers.take(stateBytes)!
  expect(first.bytes).toHaveLength(stateBytes)
  expect(new Set([first, second, third].map(({ bytes }) => bytes.buffer)).size).toBe(3)
  // Who saves more at a time copies into memory of its own.
  expect(buffers.take(stateBytes)).toBeUndefined()
  giveBack(second)
  expect(buffers.take(stateBytes)?.bytes.buffer).toBe(second.bytes.buffer)
  expect(buffers.take(stateBytes)).toBeUndefined()
})

test('a shorter state lies in the memory of a longer one, a longer one in new memory', () => {
  const buffers = new SaveBuffers()
  const long = buffers.take(2 * stateBytes)!
  giveBack(long)
  const short = buffers.take(stateBytes)!
  expect(short.bytes.buffer).toBe(long.bytes.buffer)
  expect(short.bytes).toHaveLength(stateBytes)
  giveBack(short)
  const longer = buffers.take(3 * stateBytes)!
  expect(longer.bytes.buffer).not.toBe(long.bytes.buffer)
  // What was too short is gone, so that there is room for three of these.
  expect([1, 2, 3].map(() => buffers.take(3 * stateBytes)?.bytes.byteLength)).toEqual([
    3 * stateBytes,
    3 * stateBytes,
    undefined,
  ])
})

test('a short state is not worth it', () => {
  expect(new SaveBuffers().take(1_000)).toBeUndefined()
  giveBack({})
})
