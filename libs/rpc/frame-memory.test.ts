import { expect, test } from 'vitest'
import { discardBuffer, takeFrame } from './frame-memory.js'

test('memory that a view has nearly to itself is freed at once', () => {
  const bytes = Buffer.allocUnsafe(500_000)
  const before = process.memoryUsage().arrayBuffers
  discardBuffer(bytes.subarray(5))
  expect(bytes.byteLength).toBe(0)
  expect(process.memoryUsage().arrayBuffers).toBeLessThanOrEqual(before - 500_000)
})

test('memory that others may have a view of, of the pool, or shared, stays', () => {
  const shared = new Uint8Array(new SharedArrayBuffer(100_000))
  const part = Buffer.allocUnsafe(500_000).subarray(0, 400_000)
  const pooled = Buffer.from('short')
  for (const view of [shared, part, pooled]) {
    const { byteLength } = view
    discardBuffer(view)
    expect(view.byteLength).toBe(byteLength)
  }
})

test('a large frame is made of the memory of one that was discarded, and nobody else has it', () => {
  const first = takeFrame(524_300)
  const others = [takeFrame(524_301), takeFrame(524_302)]
  expect(new Set([first, ...others].map(({ buffer }) => buffer)).size).toBe(3)
  discardBuffer(first.subarray(20))
  // Once is enough.
  discardBuffer(first.subarray(20))
  const next = takeFrame(524_310)
  expect(next.buffer).toBe(first.buffer)
  expect(next.byteLength).toBe(524_310)
  expect(takeFrame(524_310).buffer).not.toBe(first.buffer)
})

test('a frame of which only a part is discarded stays with those who have the rest', () => {
  const frame = takeFrame(524_300)
  discardBuffer(frame.subarray(0, 300_000))
  expect(frame.byteLength).toBe(524_300)
  expect(takeFrame(524_300).buffer).not.toBe(frame.buffer)
})

test('not more is kept than a few megabytes', () => {
  const frames = Array.from({ length: 40 }, () => takeFrame(2 ** 20))
  for (const frame of frames) discardBuffer(frame)
  expect(frames.map(({ byteLength }) => byteLength > 0)).toEqual(frames.map((_, index) => index >= 32))
})
