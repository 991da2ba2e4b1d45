import { expect, test } from 'vitest'

import { reuseLimitsOf } from './memory-policy.js'

const gigabyte = 2 ** 30

test.each([
  { limit: 0, idle: gigabyte },
  { limit: gigabyte, idle: 0 },
  { limit: 2 * gigabyte, idle: 0 },
  { limit: 6 * gigabyte, idle: gigabyte / 4 },
  { limit: 100 * gigabyte, idle: gigabyte },
])('of a limit of $limit bytes at most $idle lie idle', ({ limit, idle }) => {
  expect(reuseLimitsOf(limit).mostIdleBytes).toBe(idle)
})
