import { expect, test } from 'vitest'
import { linearScale, logScale } from './scale.js'

const across = { from: 100, to: 300, ticks: 5 }

test('a linear scale maps its values from end to end', () => {
  const scale = linearScale([0, 4, Number.NaN, 2, Infinity], across)
  expect([scale.min, scale.max]).toEqual([0, 4])
  expect([0, 1, 4].map(scale.place)).toEqual([100, 150, 300])
  expect([-9, 9, Number.NaN].map(scale.place)).toEqual([100, 300, 100])
  expect([0, 4, 4.1, -0.1, Number.NaN].map(scale.holds)).toEqual([true, true, false, false, false])
})

test('one value, no value and values too close to tell apart still make an axis', () => {
  expect(linearScale([5], across).place(5)).toBe(200)
  expect(linearScale([0, 0], across).place(0)).toBe(200)
  expect(linearScale([], across).max).toBe(1)
  const close = linearScale([1, 1 + 1e-15], across)
  expect(close.ticks.length).toBeGreaterThan(2)
})

test('a log scale covers whole decades and leaves zero and less out', () => {
  const scale = logScale([3e-7, 2e-5, 0, -1, Number.NaN], { from: 0, to: 300, ticks: 9 })
  expect(scale.min).toBeCloseTo(1e-7, 12)
  expect(scale.max).toBeCloseTo(1e-4, 9)
  expect(scale.place(1e-5)).toBeCloseTo(200)
  expect(scale.place(0)).toBe(0)
  expect(scale.holds(0)).toBe(false)
})
