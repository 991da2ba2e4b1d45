import { expect, test } from 'vitest'

import { formatBytes, formatDuration, formatTime } from './quantity-text.js'

test.each([
  [0, '0 B'],
  [999, '999 B'],
  [1_500, '1.5 kB'],
  [94_300_000, '94 MB'],
  [9_960_000_000, '10 GB'],
  [4e12, '4.0 TB'],
])('%d bytes read as %s', (bytes, text) => {
  expect(formatBytes(bytes)).toBe(text)
})

test.each([
  [0.2, '0 ms'],
  [999.4, '999 ms'],
  [999.6, '1.00 s'],
  [59_990, '59.99 s'],
  [59_996, '1m 00s'],
  [7_384_000, '2h 03m'],
])('%d ms read as %s', (durationMs, text) => {
  expect(formatDuration(durationMs)).toBe(text)
})

test('a moment is told in the time zone of the machine', () => {
  expect(formatTime(new Date(2026, 0, 2, 3, 4, 5))).toBe('2026-01-02 03:04:05')
})
