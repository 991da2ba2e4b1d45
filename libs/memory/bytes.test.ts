import fc from 'fast-check'
import { expect, test, vi } from 'vitest'

vi.hoisted(() => (process.env['COSTATE_SEGMENT_BYTES'] = '64'))
const { bytesOf, copyBytes, isSegmented, partOf, segmentsOf, wholeOf, writeBytes } = await import('./bytes.js')
const { allocateLarge, shareSegmented } = await import('./huge-pages.js')

const numbers = (length: number): Uint8Array<ArrayBuffer> => Uint8Array.from({ length }, (_, k) => k % 251)
const joined = (pieces: readonly Uint8Array[]): number[] => pieces.flatMap((piece) => [...piece])

test('up to a segment bytes are one array, above it they are read in segments of that length', () => {
  const [short, long] = [bytesOf(numbers(64).buffer), bytesOf(numbers(150).buffer, 8, 142)]
  expect(short).toBeInstanceOf(Uint8Array)
  expect(long).not.toBeInstanceOf(Uint8Array)
  expect([isSegmented(short), isSegmented(long)]).toEqual([false, true])
  expect(segmentsOf(short)).toEqual([short])
  expect(segmentsOf(long).map(({ byteLength }) => byteLength)).toEqual([64, 64, 14])
  expect(joined(segmentsOf(long))).toEqual([...numbers(150).subarray(8)])
  expect(wholeOf(short)).toEqual(numbers(64))
  expect(() => wholeOf(long)).toThrow(new RangeError('142 bytes are more than can be had at once here: 64'))
})

test('whatever the length, parts, pieces and copies are those of one array, and what is written lies in its place', () => {
  fc.assert(
    fc.property(fc.nat(400), fc.nat(64), fc.nat(420), fc.integer({ min: 1, max: 64 }), (length, at, start, piece) => {
      const whole = numbers(length)
      const bytes = bytesOf(whole.buffer)
      const end = start + piece
      expect([...partOf(bytes, Math.min(start, length), end)]).toEqual([...whole.subarray(start, end)])
      expect(joined(segmentsOf(bytes, piece))).toEqual([...whole])
      const copy = copyBytes(bytes, new ArrayBuffer(length))
      expect(joined(segmentsOf(copy))).toEqual([...whole])
      const from = new Uint8Array(Math.min(piece, Math.max(0, length - at))).fill(255)
      writeBytes(copy, from, Math.min(at, length))
      const written = Uint8Array.from(whole)
      written.set(from, Math.min(at, length))
      expect(joined(segmentsOf(copy))).toEqual([...written])
      // The copy has memory of its own.
      expect([...new Uint8Array(whole.buffer)]).toEqual([...numbers(length)])
    }),
  )
})

test('a part is none when it starts at the end', () => {
  expect(partOf(bytesOf(new ArrayBuffer(100)), 100, 120).byteLength).toBe(0)
})

test('what threads are to see lies in shared memory when it has more than a segment', () => {
  const buffers = (): string[] => [64, 65].map((length) => allocateLarge(length).buffer.constructor.name)
  expect(buffers()).toEqual(['ArrayBuffer', 'ArrayBuffer'])
  shareSegmented()
  expect(buffers()).toEqual(['ArrayBuffer', 'SharedArrayBuffer'])
})
