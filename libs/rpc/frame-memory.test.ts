import { expect, test } from 'vitest'
import { discardBuffer, takeFrame } from './frame-memory.js'

test('nothing is taken away from who still looks at it', () => {
  const shared = new Uint8Array(new SharedArrayBuffer(100_000))
  const part = Buffer.allocUnsafe(500_000).subarray(0, 400_000)
  for (const view of [
    shared,
    part,
    Buffer.from('short'),
    Buffer.alloc(2 ** 20),
    takeFrame(600_000),
    takeFrame(40_000),
  ]) {
    const { byteLength } = view
    discardBuffer(view)
    expect(view.byteLength).toBe(byteLength)
  }
})

test('what is no frame is not made one', () => {
  const bytes = Buffer.alloc(524_288)
  discardBuffer(bytes)
  expect(takeFrame(524_288).buffer).not.toBe(bytes.buffer)
})

test.each([33_000, 100_000, 300_000])(
  'a frame of %d bytes is made of the memory of one of about that length',
  (byteLength) => {
    const first = takeFrame(byteLength)
    discardBuffer(first)
    const next = takeFrame(byteLength - 20)
    expect([next.buffer === first.buffer, next.byteLength]).toEqual([true, byteLength - 20])
  },
)

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
  const known = new Set(frames.map(({ buffer }) => buffer))
  const next = Array.from({ length: 40 }, () => takeFrame(2 ** 20))
  expect(next.filter(({ buffer }) => known.has(buffer)).length).toBe(16)
})
