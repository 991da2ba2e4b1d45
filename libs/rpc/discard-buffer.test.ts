import { expect, test } from 'vitest'
import { discardBuffer } from './discard-buffer.js'

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
