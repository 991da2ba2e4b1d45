import fc from 'fast-check'
import { expect, test } from 'vitest'

import { discardBuffer } from './frame-memory.js'
import { FrameReader } from './frame-reader.js'

function frameOf(message: Uint8Array): Buffer {
  const prefix = Buffer.alloc(5)
  prefix.writeUInt32BE(message.byteLength, 1)
  return Buffer.concat([prefix, message])
}

/** Pieces that end at these places, each in memory of its own. */
function cut(bytes: Buffer, places: readonly number[]): Buffer[] {
  const ends = [...new Set(places.map((place) => place % (bytes.byteLength + 1)))].sort((a, b) => a - b)
  return [0, ...ends].map((start, index) => Buffer.from(bytes.subarray(start, ends[index] ?? bytes.byteLength)))
}

test('messages of any length come out of pieces of any length as they went in', () => {
  const messages = fc.array(fc.uint8Array({ maxLength: 300 }), { maxLength: 20 })
  fc.assert(
    fc.property(messages, fc.array(fc.nat(6_000), { maxLength: 40 }), (bodies, places) => {
      const frames = bodies.map(frameOf)
      const reader = new FrameReader(-1)
      const read = cut(Buffer.concat(frames), places).flatMap((piece) => reader.read(piece))
      expect(read.map(String)).toEqual(frames.map(String))
    }),
  )
})

test('large messages that are discarded one after the other, as a stream has them, stay what they are', () => {
  const reader = new FrameReader(2 ** 20)
  const seen = new Set<ArrayBufferLike>()
  for (let round = 0; round < 20; round++) {
    const frame = frameOf(Buffer.alloc(512 * 1024 + round, round))
    const read = cut(frame, [3, 65_000 * (round + 1), 400_000]).flatMap((piece) => reader.read(piece))
    expect(read).toHaveLength(1)
    expect(read[0]?.equals(frame)).toBe(true)
    seen.add((read[0] as Buffer).buffer)
    discardBuffer((read[0] as Buffer).subarray(5))
  }
  expect(seen.size).toBeLessThan(4)
})

test('a message that is too long is refused before it comes', () => {
  const reader = new FrameReader(100)
  expect(reader.read(frameOf(Buffer.alloc(100)))).toHaveLength(1)
  expect(() => reader.read(frameOf(Buffer.alloc(101)).subarray(0, 5))).toThrow('larger than max (101 vs 100)')
})
