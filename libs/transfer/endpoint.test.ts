import fc from 'fast-check'
import { expect, test } from 'vitest'

import { DigestAlgorithm } from '#libs/proto'

import { sourceOfSegments } from './endpoint.js'
import { chunkBytes } from './limits.js'

function piecesOf(segments: readonly Uint8Array[], offset = 0): Uint8Array[] {
  const byteLength = segments.reduce((sum, segment) => sum + segment.byteLength, 0)
  const source = sourceOfSegments({ byteLength, digestAlgorithm: DigestAlgorithm.XXH64 }, segments)
  return [...(source.read(offset) as Iterable<Uint8Array>)]
}

test('whatever the segments are, from any offset on their bytes come in order', () => {
  const lengths = fc.oneof(fc.nat(20), fc.integer({ min: 60_000, max: 70_000 }), fc.constant(chunkBytes))
  fc.assert(
    fc.property(fc.array(lengths, { maxLength: 20 }), fc.nat(), (all, at) => {
      const segments = all.map((length, index) => new Uint8Array(length).fill(index + 1))
      const whole = Buffer.concat(segments)
      const offset = at % (whole.byteLength + 1)
      expect(Buffer.concat(piecesOf(segments, offset)).equals(whole.subarray(offset))).toBe(true)
    }),
  )
})

test('many short segments are read in pieces of about a chunk, long ones as they lie', () => {
  const short = Array.from({ length: 10_000 }, (_, k) => new Uint8Array(200).fill(k))
  const pieces = piecesOf(short)
  expect(pieces).toHaveLength(4)
  for (const { byteLength } of pieces) expect(byteLength).toBeLessThanOrEqual(chunkBytes)
  const long = new Uint8Array(3 * chunkBytes)
  expect(
    piecesOf([long, new Uint8Array(4), new Uint8Array(4), long]).map(({ buffer }) => buffer === long.buffer),
  ).toEqual([true, false, true])
})
