import { expect, test } from 'vitest'
import { exactCost } from './bryson-denham-curve.js'

test.each([
  [0.04, 11.11111111111111],
  [0.1, 4.444444444444445],
  [1 / 9, 4],
  [0.16, 2.7777777777777777],
  [0.18, 2.4704],
  [0.2, 2.24],
  [0.24, 2.0096],
  [0.26, 2],
  [0.3, 2],
])('J(%d) = %d as published', (bound, cost) => {
  expect(exactCost(bound)).toBeCloseTo(cost, 12)
})

test('the three formulas meet, and a bound of zero or less has no solution', () => {
  for (const edge of [1 / 6, 1 / 4]) expect(exactCost(edge - 1e-12)).toBeCloseTo(exactCost(edge + 1e-12), 9)
  expect([0, -1, Number.NaN].map(exactCost)).toEqual([Number.NaN, Number.NaN, Number.NaN])
})
