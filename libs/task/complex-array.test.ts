import { expect, test } from 'vitest'

import { Complex128Array } from './complex-array.js'
import { NdArray } from './nd-array.js'

test('complex numbers lie as pairs in an array that is kept', () => {
  const data = new Float64Array([1, 2, 3, 4])
  const numbers = new Complex128Array(data)
  expect(numbers.length).toBe(2)
  expect(numbers.get(1)).toEqual({ re: 3, im: 4 })
  numbers.set({ re: -1, im: -0 }, 0)
  expect([...data]).toEqual([-1, -0, 3, 4])
  expect([...numbers]).toEqual([
    { re: -1, im: -0 },
    { re: 3, im: 4 },
  ])
})

test('they are made by length, or from numbers', () => {
  expect([...new Complex128Array(1)]).toEqual([{ re: 0, im: 0 }])
  expect(Complex128Array.from([{ re: 0, im: 1 }]).data).toEqual(new Float64Array([0, 1]))
  expect(new Complex128Array(0)).toHaveLength(0)
})

test('a complex array with a shape has one index per axis', () => {
  const matrix = new NdArray(new Complex128Array(6), [2, 3])
  matrix.set({ re: 1, im: -1 }, 1, 0)
  expect(matrix.get(1, 0)).toEqual({ re: 1, im: -1 })
  expect(matrix.data.data.indexOf(1)).toBe(6)
  expect(() => new NdArray(new Complex128Array(6), [3, 4])).toThrow('shape [3, 4] has 12 elements, data has 6')
})

test('what is no complex array is refused', () => {
  expect(() => new Complex128Array(new Float64Array(3))).toThrow('3 parts are no pairs')
  expect(() => new Complex128Array(-1)).toThrow('-1 is no length')
  expect(() => new Complex128Array(new Float32Array(2) as never)).toThrow('give a length, or a Float64Array')
  expect(() => new Complex128Array(1).get(1)).toThrow('index 1 lies outside an array of 1')
  expect(() => new Complex128Array(1).set({ re: 0, im: 0 }, 0.5)).toThrow('index 0.5 lies outside')
})
