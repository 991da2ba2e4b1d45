import { expect, test } from 'vitest'

import { averageNeighbours, classifyByNeighbours, findNeighbours } from './nearest-neighbours.js'
import { fitRidge, predictLinear } from './ridge.js'
import { applyScaling, fitScaling } from './scaling.js'

const line = { x: Float64Array.of(1, 2, 3, 4), y: Float64Array.of(3, 5, 7, 9) }

test('without a penalty ridge is least squares; with one the slope is what the closed form says', () => {
  const plain = fitRidge(line.x, line.y, 1, 0)
  expect(plain.coefficients[0]).toBeCloseTo(2, 13)
  expect(plain.intercept).toBeCloseTo(1, 13)
  // Σ (x - x̄)² = 5, Σ (x - x̄)(y - ȳ) = 10.
  const held = fitRidge(line.x, line.y, 1, 5)
  expect(held.coefficients[0]).toBeCloseTo(1, 13)
  expect(predictLinear(held, Float64Array.of(2.5))[0]).toBeCloseTo(6, 13)
})

test('two columns that are the same share the slope', () => {
  const x = Float64Array.of(1, 1, 2, 2, 3, 3, 4, 4)
  const { coefficients } = fitRidge(x, line.y, 2, 1e-3)
  expect(coefficients[0]).toBeCloseTo(coefficients[1]!, 10)
  expect(() => fitRidge(x, line.y, 2, 0)).toThrow(/columns depend on each other; raise alpha/)
})

test('scaled columns have mean 0 and variance 1; one that never changes becomes 0', () => {
  const x = Float64Array.of(1, 7, 3, 7, 5, 7)
  const scaled = applyScaling(fitScaling(x, 2), x)
  const root = Math.sqrt(1.5)
  expect([...scaled]).toEqual([-root, 0, 0, 0, root, 0].map((value): unknown => expect.closeTo(value, 14)))
})

const known = { x: Float64Array.of(0, 1, 2, 3, 10), y: [1, 0, 0, 1, 1], columns: 1 }

test('neighbours come nearest first, the first of those as near as each other before the others', () => {
  expect(findNeighbours(known, Float64Array.of(1.5), 4)).toEqual([1, 2, 0, 3])
  expect(classifyByNeighbours(known, Float64Array.of(1.5), 3)).toBe(0)
  expect(classifyByNeighbours(known, Float64Array.of(1.5), 4)).toBe(0)
  expect(classifyByNeighbours(known, Float64Array.of(9), 1)).toBe(1)
  expect(averageNeighbours(known, Float64Array.of(1.5), 3)).toBeCloseTo(1 / 3, 15)
})

test.each([
  ['more neighbours than rows', () => findNeighbours(known, Float64Array.of(1), 6), /k is 6/],
  ['a point of another width', () => findNeighbours(known, Float64Array.of(1, 2), 1), /the point has 2/],
  ['no columns', () => fitScaling(line.x, 0), /columns is 0/],
  ['half a row', () => fitScaling(line.x, 3), /makes no rows of 3/],
  ['answers of another number', () => fitRidge(line.x, Float64Array.of(1), 1, 1), /y has 1 values; x has 4/],
  ['a penalty below 0', () => fitRidge(line.x, line.y, 1, -1), /alpha is -1/],
])('%s: refused', (_name, run, reason) => {
  expect(run).toThrow(reason)
})
