import { expect, test } from 'vitest'

import { JobTerms } from './task-terms.js'

test('what many tasks ask for is said once, in whatever order they name it', () => {
  const terms = new JobTerms({ resources: { gpu: 1 }, timeout: '1s' })
  const numbers = [
    terms.usual,
    terms.of({ resources: { licence: 1, gpu: 2 } }),
    terms.of({ resources: { gpu: 2, licence: 1 } }),
    terms.of({ priority: 3 }),
  ].map(({ needsNumber }) => needsNumber)
  expect(numbers).toEqual([1, 2, 2, 3])
  // What a task does not say is as with its job.
  expect(terms.needs.values[2]).toMatchObject({ priority: 3, resources: new Map([['gpu', 1]]) })
  expect(terms.of({ timeout: 5 }).timeoutMs).toBe(5)
  expect(terms.of({ priority: 3 }).timeoutMs).toBe(1_000)
})

test("only a task with a policy of its own has a number; the job's is no other", () => {
  const terms = new JobTerms({ retries: 1 })
  expect([terms.usual, terms.of({ priority: 1 })].map(({ retryNumber }) => retryNumber)).toEqual([0, 0])
  expect([terms.of({ retries: 3 }), terms.of({ retry: { maxAttempts: 4 } })].map((own) => own.retryNumber)).toEqual([
    1, 1,
  ])
  expect(terms.retryPolicies.values).toMatchObject([{ maxAttempts: { userError: 4 } }])
})

test('a policy without an end ends with its job, or is refused; a budget is no single task’s', () => {
  const endless = { retry: { maxAttempts: Infinity } }
  expect(() => new JobTerms({}).of(endless)).toThrow('the retry policy cannot end')
  expect(new JobTerms({ deadline: '2100-01-01' }).of(endless).retryNumber).toBe(1)
  expect(new JobTerms({ retry: { budget: 3 } }).of(endless).retryNumber).toBe(1)
  expect(() => new JobTerms({}).of({ retry: { maxAttempts: 2, budget: 3 } })).toThrow('cluster.with()')
})
