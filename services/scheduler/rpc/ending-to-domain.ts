import { defaultBackoff, explainEndless, type RetryableKind, type RetryPolicy } from '#libs/domain'
import {
  type Duration,
  type JobSpec as WireJobSpec,
  type RetryPolicy as WireRetryPolicy,
  type Timestamp,
  failureKindFromWire,
} from '#libs/proto'

import type { JobSpec } from '../core/job-spec.js'
import { durationMs, invalid } from './invalid.js'

const maxRetryPolicies = 1_000
const maxFactor = 100
const longestDelayMs = 86_400_000
/** What a date can say. */
const maxDateMs = 8.64e15

type Ending = 'retry' | 'retryPolicies' | 'deadlineMs' | 'failFast'

/** How a job may end: retries, deadline, whether it fails fast. */
export function endingToDomain(job: WireJobSpec): Pick<JobSpec, Ending> {
  const deadlineMs = job.deadline && deadlineToDomain(job.deadline)
  const hasDeadline = deadlineMs !== undefined
  return {
    ...(job.retry ? { retry: retryToDomain(job.retry, 'job.retry', hasDeadline) } : {}),
    ...(job.retryPolicies.length > 0 ? { retryPolicies: policiesToDomain(job, hasDeadline) } : {}),
    ...(deadlineMs === undefined ? {} : { deadlineMs }),
    ...(job.failFast ? { failFast: true } : {}),
  }
}

function deadlineToDomain(deadline: Timestamp): number {
  const ms = durationMs(deadline)
  if (Math.abs(ms) <= maxDateMs) return ms
  throw invalid('BAD_DEADLINE', 'the deadline is no point in time: leave it out for no limit', 'job.deadline')
}

/** The policies of single tasks. */
function policiesToDomain({ retry, retryPolicies }: WireJobSpec, hasDeadline: boolean): RetryPolicy[] {
  if (retryPolicies.length > maxRetryPolicies) {
    const message = `a job says at most ${maxRetryPolicies} retry policies, not ${retryPolicies.length}`
    throw invalid('TOO_MANY_RETRY_POLICIES', message, 'job.retry_policies')
  }
  return retryPolicies.map((wire, index) => {
    const field = `job.retry_policies[${index}]`
    if (wire.budget === undefined) return retryToDomain(wire, field, hasDeadline || retry?.budget !== undefined)
    throw badRetry('a task has no budget of retries of its own: give it with job.retry', `${field}.budget`)
  })
}

/** Which of so many policies is the task's; nothing for its job's. */
export function retryPolicyOfTask(policy: number, count: number, index: number): { readonly retryPolicy?: number } {
  if (policy === 0) return {}
  if (policy <= count) return { retryPolicy: policy }
  const message = `task ${index} names retry policy ${policy}, but the job says ${count}`
  throw invalid('UNKNOWN_RETRY_POLICY', message, `job.tasks[${index}].retry_policy`)
}

/** `hasEnd`: whether the job ends it, where the policy does not. */
function retryToDomain(wire: WireRetryPolicy, field: string, hasEnd: boolean): RetryPolicy {
  const { factor, jitter = defaultBackoff.jitter, budget } = wire
  const policy: RetryPolicy = {
    maxAttempts: limitsToDomain(wire, field),
    firstDelayMs: delayToDomain(wire.firstDelay, defaultBackoff.firstDelayMs, `${field}.first_delay`),
    factor: factor === 0 ? defaultBackoff.factor : factor,
    maxDelayMs: delayToDomain(wire.maxDelay, defaultBackoff.maxDelayMs, `${field}.max_delay`),
    jitter,
    ...(budget === undefined ? {} : { budget }),
  }
  if (!(policy.factor >= 1 && policy.factor <= maxFactor)) {
    throw badRetry(`the factor of the backoff is ${factor}: give a number from 1 to ${maxFactor}`, `${field}.factor`)
  }
  if (!(jitter >= 0 && jitter <= 1)) {
    throw badRetry(`the jitter of the backoff is ${jitter}: give a share from 0 to 1`, `${field}.jitter`)
  }
  const endless = explainEndless(policy, hasEnd)
  if (endless !== undefined) throw invalid('ENDLESS_RETRIES', endless, field)
  return policy
}

function limitsToDomain({ limits }: WireRetryPolicy, policyField: string): RetryPolicy['maxAttempts'] {
  const maxAttempts: Partial<Record<RetryableKind, number>> = {}
  for (const [index, { kind: wire, maxAttempts: most }] of limits.entries()) {
    const field = `${policyField}.limits[${index}]`
    const kind = failureKindFromWire(wire)
    if (kind === undefined || kind === 'cancelled') {
      throw badRetry('a limit needs a class of failure that can be tried again', `${field}.kind`)
    }
    if (maxAttempts[kind] !== undefined) throw badRetry(`class ${kind} has two limits: give one`, `${field}.kind`)
    maxAttempts[kind] = most === 0 ? Infinity : most
  }
  return maxAttempts
}

function delayToDomain(delay: Duration | undefined, usualMs: number, field: string): number {
  const ms = delay === undefined ? usualMs : durationMs(delay)
  if (ms >= 0 && ms <= longestDelayMs) return ms
  throw badRetry(`a wait of ${ms} ms between attempts: give one from 0 to a day`, field)
}

function badRetry(message: string, field: string) {
  return invalid('BAD_RETRY', message, field)
}
