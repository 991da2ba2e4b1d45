import { expect, test } from 'vitest'
import { createRng } from '#libs/domain'
import { createEnvelope, factorEnvelope, positionOf, solveEnvelope } from './envelope.js'

const SIZE = 30
const BAND = 4

/** A banded symmetric matrix with `negative` of its dominant diagonal entries below 0, and one full last row. */
function createBordered(negative: number): { first: Int32Array; entry: (i: number, j: number) => number } {
  const rng = createRng(3, negative)
  const dense = rng.normals(SIZE * SIZE)
  const first = Int32Array.from({ length: SIZE }, (_, i) => (i === SIZE - 1 ? 0 : Math.max(0, i - BAND)))
  const entry = (i: number, j: number): number => {
    const [row, column] = i >= j ? [i, j] : [j, i]
    if (column < first[row]!) return 0
    return row === column ? (row < negative ? -50 : 50) : dense[row * SIZE + column]!
  }
  return { first, entry }
}

test.each([0, 1, 13, SIZE])('solves a bordered band with %i negative eigenvalues and counts them', (negative) => {
  const { first, entry } = createBordered(negative)
  const envelope = createEnvelope(first)
  const values = new Float64Array(envelope.start[SIZE]!)
  for (let i = 0; i < SIZE; i++) {
    for (let j = first[i]!; j <= i; j++) values[positionOf(envelope, i, j)] = entry(i, j)
  }
  const expected = createRng(4, 0).normals(SIZE)
  const x = expected.map((_, i) => expected.reduce((sum, value, j) => sum + entry(i, j) * value, 0))
  expect(factorEnvelope(envelope, values)).toBe(negative)
  solveEnvelope(envelope, values, x)
  x.forEach((value, i) => expect(value).toBeCloseTo(expected[i]!, 12))
})

test('a singular matrix has no factor', () => {
  const envelope = createEnvelope(Int32Array.of(0, 0))
  expect(factorEnvelope(envelope, Float64Array.of(1, 2, 4))).toBe(-1)
  expect(factorEnvelope(envelope, Float64Array.of(1, NaN, 4))).toBe(-1)
})
