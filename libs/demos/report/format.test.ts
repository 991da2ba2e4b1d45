import { expect, test } from 'vitest'
import {
  formatDate,
  formatDigits,
  formatDuration,
  formatError,
  formatFactor,
  formatNumber,
  formatPercent,
  formatRanges,
} from './format.js'

test('numbers keep what matters', () => {
  expect([4 / 9, -0, 1e-9, 12_345.678].map((value) => formatNumber(value))).toEqual([
    '0.444444',
    '0',
    '1e-9',
    '12345.7',
  ])
  expect([Number.NaN, Infinity, -Infinity].map((value) => formatNumber(value))).toEqual(['NaN', '∞', '−∞'])
  expect(formatDigits(2, 10)).toBe('2.000000000')
  expect([3.21e-8, 40, 0, Number.NaN].map(formatError)).toEqual(['3.2e-8', '4.0e1', '0', 'NaN'])
  expect([0.384, 12, 400_000].map(formatFactor)).toEqual(['0.38', '12', '4.0e5'])
  expect([0, 0.004, 0.917, Number.NaN].map(formatPercent)).toEqual(['0 %', '< 1 %', '92 %', '–'])
})

test.each([
  [0.045, '45 µs'],
  [812.3, '812 ms'],
  [999.7, '1.00 s'],
  [3210, '3.21 s'],
  [59_980, '1 min 00 s'],
  [62_000, '1 min 02 s'],
  [7_380_000, '2 h 03 min'],
  [Number.NaN, '–'],
])('%d ms reads as %s', (spanMs, text) => {
  expect(formatDuration(spanMs)).toBe(text)
})

test('dates are UTC, and what is no date is shown as it came', () => {
  expect(formatDate('2026-11-22T15:03:11.482+01:00')).toBe('2026-11-22 14:03:11 UTC')
  expect(formatDate('yesterday')).toBe('yesterday')
})

test('every index is said, in any order, once', () => {
  expect(formatRanges([12, 3, 7, 8, 9, 10, 11, 40, 40])).toBe('3, 7–12, 40')
  expect(formatRanges([])).toBe('')
})
