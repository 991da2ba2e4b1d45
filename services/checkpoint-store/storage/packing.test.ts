import { randomFillSync } from 'node:crypto'

import { expect, test } from 'vitest'

import { pack, unpack } from './packing.js'

const numbers = 2 ** 17

function bytesOf(values: Float64Array): Uint8Array {
  return new Uint8Array(values.buffer)
}

const noise = bytesOf(new Float64Array(randomFillSync(new Uint8Array(8 * numbers)).buffer))
const smooth = bytesOf(Float64Array.from({ length: numbers }, (_, i) => Math.sin(i / 1000)))
const few = bytesOf(Float64Array.from({ length: numbers }, (_, i) => Math.round(1000 * Math.sin(i)) / 10))
const sparse = bytesOf(Float64Array.from({ length: numbers }, (_, i) => (i % 50 === 0 ? Math.sin(i) : 0)))

test.each([
  ['numbers with few digits', few, 0.5],
  ['mostly zeros', sparse, 0.1],
  ['text', Buffer.from('{"iteration":17,"cost":0.25}\n'.repeat(20_000)), 0.01],
])('%s become shorter, and come back as they were', async (_, bytes, atMost) => {
  const packed = (await pack(bytes))!
  expect(packed.byteLength / bytes.byteLength).toBeLessThan(atMost)
  expect(Buffer.from(await unpack(packed, bytes.byteLength)).equals(bytes)).toBe(true)
})

test.each([
  ['noise', noise],
  ['a smooth function in all its digits', smooth],
  ['what is short', Buffer.alloc(10_000)],
])('%s is left as it is', async (_, bytes) => {
  expect(await pack(bytes)).toBeUndefined()
})

test('what promised more than it held is left as it is', async () => {
  // The pages that are looked at are zeros, nearly all else is noise.
  const bytes = noise.slice()
  const step = (bytes.byteLength - 4096) / 3
  for (let k = 0; k < 4; k++) bytes.fill(0, Math.floor(k * step), Math.floor(k * step) + 4096)
  expect(await pack(bytes)).toBeUndefined()
})

test('what is damaged, or longer than it should be, is no bytes', async () => {
  const packed = (await pack(sparse))!
  await expect(unpack(packed.subarray(0, 100), sparse.byteLength)).rejects.toThrow()
  await expect(unpack(packed, sparse.byteLength - 1)).rejects.toThrow()
  await expect(unpack(packed, sparse.byteLength + 1)).rejects.toThrow('packed bytes were')
})
