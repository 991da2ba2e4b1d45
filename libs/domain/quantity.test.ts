import { expect, test } from 'vitest'

import { parseBytes, parseDurationMs } from './index.js'

test('amounts of memory', () => {
  expect(parseBytes('4GB', 'memoryLimit')).toBe(4e9)
  expect(parseBytes('512 MiB', 'memoryLimit')).toBe(512 * 2 ** 20)
  expect(parseBytes('16G', 'memory')).toBe(16 * 2 ** 30)
  expect(parseBytes(1024, 'memory')).toBe(1024)
  expect(() => parseBytes('lots', 'memoryLimit')).toThrow("memoryLimit: 'lots' is no amount of memory")
  expect(() => parseBytes(-1, 'memoryLimit')).toThrow('memoryLimit')
})

test('durations', () => {
  expect(parseDurationMs('02:00:00', 'walltime')).toBe(7_200_000)
  expect(parseDurationMs('1-00:00:30', 'walltime')).toBe(86_430_000)
  expect(parseDurationMs('01:30', 'walltime')).toBe(90_000)
  expect(parseDurationMs('90s', 'timeout')).toBe(90_000)
  expect(parseDurationMs('250ms', 'timeout')).toBe(250)
  expect(parseDurationMs(5, 'timeout')).toBe(5)
  expect(() => parseDurationMs('soon', 'timeout')).toThrow("timeout: 'soon' is no duration")
})
