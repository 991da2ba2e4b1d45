import { expect, test } from 'vitest'

import { median, percentile } from './statistics.js'

test('the median is the middle value, whatever the order', () => {
  expect(median([9, 1, 5])).toBe(5)
  expect(median([4])).toBe(4)
})

test('the median of an even number of values lies between the two in the middle', () => {
  expect(median([10, 1, 2, 3])).toBe(2.5)
})

test('one run that was disturbed does not move the median', () => {
  expect(median([100, 101, 102, 103, 9_000])).toBe(102)
})

test('values are ordered as numbers, not as text', () => {
  expect(median([10, 9, 100])).toBe(10)
})

test('a percentile is one of the values: nearest rank', () => {
  const values = Array.from({ length: 200 }, (_, k) => 200 - k)
  expect(percentile(values, 0.5)).toBe(100)
  expect(percentile(values, 0.99)).toBe(198)
  expect(percentile(values, 1)).toBe(200)
  expect(percentile([7], 0.5)).toBe(7)
})

test('nothing measured is an error, not a zero', () => {
  expect(() => median([])).toThrow('no values')
  expect(() => percentile([], 0.5)).toThrow('no values')
  expect(() => percentile([1], 0)).toThrow('at most 1')
})
