import { expect, expectTypeOf, test } from 'vitest'
import { NdArray } from './nd-array.js'

test('a matrix is indexed row by row', () => {
  const matrix = new NdArray(new Float64Array([1, 2, 3, 4, 5, 6]), [2, 3])

  expect(matrix.rank).toBe(2)
  expect([matrix.get(0, 2), matrix.get(1, 0), matrix.get(1, 2)]).toEqual([3, 4, 6])
})

test('a scalar has no axes, and an empty array no elements', () => {
  expect(new NdArray(new Float32Array([7]), []).get()).toBe(7)
  expect(new NdArray(new Float64Array(0), [3, 0]).shape).toEqual([3, 0])
})

test('an array keeps the memory that it was given', () => {
  const data = new Int32Array(24)
  const tensor = new NdArray(data, [2, 3, 4])
  tensor.set(5, 1, 2, 3)

  expect(tensor.data).toBe(data)
  expect(data[23]).toBe(5)
})

test('elements of 64-bit integers are bigints', () => {
  const counts = new NdArray(new BigInt64Array([1n, 2n]), [1, 2])
  counts.set(9n, 0, 0)

  expectTypeOf(counts.get(0, 1)).toEqualTypeOf<bigint>()
  expect(counts.get(0, 0) + counts.get(0, 1)).toBe(11n)
})

test.each([
  [[2, 3], 'shape [2, 3] has 6 elements, data has 4'],
  [[], 'shape [] has 1 elements, data has 4'],
  [[-2, -2], 'shape [-2, -2] has an axis of length -2'],
  [[1.5, 4], 'shape [1.5, 4] has an axis of length 1.5'],
])('shape %j does not fit four elements', (shape, message) => {
  expect(() => new NdArray(new Float64Array(4), shape)).toThrow(message)
})

test('data must be a typed array', () => {
  expect(() => new NdArray([1, 2] as never, [2])).toThrow('data must be a typed array')
  expect(() => new NdArray(new DataView(new ArrayBuffer(2)) as never, [2])).toThrow('data must be a typed array')
})

test.each([
  [[0], 'index [0] into an array of shape [2, 2]'],
  [[0, 2], 'index [0, 2] lies outside shape [2, 2]'],
  [[-1, 0], 'index [-1, 0] lies outside shape [2, 2]'],
  [[0.5, 0], 'index [0.5, 0] lies outside shape [2, 2]'],
])('index %j is refused', (index, message) => {
  const matrix = new NdArray(new Float64Array(4), [2, 2])

  expect(() => matrix.get(...index)).toThrow(message)
  expect(() => matrix.set(0, ...index)).toThrow(message)
})

test('an array carries the mark by which other copies of the library know it', () => {
  const array = new NdArray(new Float64Array(1), [])

  expect(Symbol.for('costate.NdArray') in array).toBe(true)
  expect(Object.keys(array)).toEqual(['data', 'shape'])
})
