import { expect, test } from 'vitest'

import { endingsOf } from './endings.js'

test('nothing is said unless it is asked for', () => {
  expect(endingsOf({})).toEqual({ retry: undefined, deadlineMs: undefined, failFast: false })
})

test('a number of retries is short for a limit on what may be the task, and lowers no other', () => {
  const { retry } = endingsOf({ retries: 3 })
  expect(retry).toEqual(endingsOf({ retry: { maxAttempts: 4 } }).retry)
  expect(retry?.maxAttempts).toEqual({ userError: 4, timeout: 4 })
  const many = { userError: 10, timeout: 10, workerLost: 10, outOfMemory: 10, input: 10 }
  expect(endingsOf({ retries: 9 }).retry?.maxAttempts).toEqual(many)
  expect(retry).toMatchObject({ firstDelayMs: 1_000, factor: 2, maxDelayMs: 60_000, jitter: 0.2 })
})

test('classes have limits of their own', () => {
  const { retry } = endingsOf({ retry: { maxAttempts: 5, classes: { userError: 1, bundle: 2 }, backoff: '10s' } })
  expect(retry?.maxAttempts).toMatchObject({ userError: 1, timeout: 5, bundle: 2 })
  expect(retry?.firstDelayMs).toBe(10_000)
  expect(endingsOf({ retry: { classes: { timeout: 3 } } }).retry?.maxAttempts).toEqual({ timeout: 3 })
})

test('a policy that cannot end is refused with what to set', () => {
  const endless = { maxAttempts: Infinity }
  expect(() => endingsOf({ retry: endless })).toThrow(/cannot end.*set the maximum number of attempts, a budget, or a/)
  expect(endingsOf({ retry: endless, deadline: new Date(5_000) }).deadlineMs).toBe(5_000)
  expect(endingsOf({ retry: { ...endless, budget: 100 } }).retry?.budget).toBe(100)
})

test('what makes no sense is refused by name', () => {
  const refused = [
    [{ retries: -1 }, /retries is -1/],
    [{ retries: 1.5 }, /retries is 1.5/],
    [{ retries: 1, retry: { maxAttempts: 2 } }, /both given/],
    [{ retry: { maxAttempts: 0 } }, /retry.maxAttempts is 0: give a whole number from 1/],
    [{ retry: { classes: { timeout: NaN } } }, /retry.classes.timeout is NaN/],
    [{ retry: { classes: { cancelled: 2 } as never } }, /cancelled is no class.*userError/],
    [{ retry: { factor: 0.5 } }, /retry.factor/],
    [{ retry: { jitter: 2 } }, /retry.jitter/],
    [{ retry: { backoff: 'soon' } }, /retry.backoff/],
    [{ deadline: 'tomorrow' }, /deadline: 'tomorrow'/],
  ] as const
  for (const [options, message] of refused) expect(() => endingsOf(options)).toThrow(message)
})
