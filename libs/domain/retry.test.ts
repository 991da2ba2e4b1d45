import { expect, test } from 'vitest'

import { defaultBackoff, explainEndless, retryDelayMs } from './retry.js'

const source = { jobId: 'j', seed: 7n, index: 3 }
const waits = (policy: Parameters<typeof retryDelayMs>[0], from = source): number[] =>
  [1, 2, 3, 4, 5].map((retry) => retryDelayMs(policy, retry, from))

test('each wait is a multiple of the one before, up to the longest', () => {
  expect(waits({ firstDelayMs: 100, factor: 3, maxDelayMs: 2_000, jitter: 0 })).toEqual([100, 300, 900, 2_000, 2_000])
})

test('jitter shortens a wait by at most its share, by the same each time, and by another for another task', () => {
  const policy = { ...defaultBackoff, jitter: 0.5 }
  const whole = waits({ ...policy, jitter: 0 })
  const some = waits(policy)
  for (const [at, ms] of some.entries()) {
    expect(ms).toBeLessThanOrEqual(whole[at] as number)
    expect(ms).toBeGreaterThan((whole[at] as number) / 2)
  }
  expect(waits(policy)).toEqual(some)
  expect(waits(policy, { ...source, index: 4 })).not.toEqual(some)
  expect(waits(policy, { ...source, jobId: 'k' })).not.toEqual(some)
  expect(waits(policy, { ...source, seed: 7n << 32n })).not.toEqual(some)
})

test('a policy without a limit needs a deadline or a budget', () => {
  const maxAttempts = { userError: Infinity, timeout: 2 }
  expect(explainEndless({ maxAttempts }, false)).toMatch(/cannot end: .* userError have no limit.* set .*deadline/)
  expect(explainEndless({ maxAttempts }, true)).toBeUndefined()
  expect(explainEndless({ maxAttempts, budget: 10 }, false)).toBeUndefined()
  expect(explainEndless({ maxAttempts: { userError: 1_000 } }, false)).toBeUndefined()
})
