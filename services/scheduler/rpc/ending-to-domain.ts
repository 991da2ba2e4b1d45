import { defaultBackoff, explainEndless, type RetryableKind, type RetryPolicy } from '#libs/domain'
import type { Duration, JobSpec as WireJobSpec, RetryPolicy as WireRetryPolicy, Timestamp } from '#libs/proto'

import type { JobSpec } from '../core/state.js'
import { domainKindOf } from './failure-kinds.js'
import { durationMs, invalid } from './invalid.js'

const maxFactor = 100
const longestDelayMs = 86_400_000
/** What a date can say. */
const maxDateMs = 8.64e15

/** How a job may end: retries, deadline, whether it fails fast. */
export function endingToDomain(job: WireJobSpec): Pick<JobSpec, 'retry' | 'deadlineMs' | 'failFast'> {
  const deadlineMs = job.deadline && deadlineToDomain(job.deadline)
  return {
    ...(job.retry ? { retry: retryToDomain(job.retry, deadlineMs !== undefined) } : {}),
    ...(deadlineMs === undefined ? {} : { deadlineMs }),
    ...(job.failFast ? { failFast: true } : {}),
  }
}

function deadlineToDomain(deadline: Timestamp): number {
  const ms = durationMs(deadline)
  if (Math.abs(ms) <= maxDateMs) return ms
  throw invalid('BAD_DEADLINE', 'the deadline is no point in time: leave it out for no limit', 'job.deadline')
}

function retryToDomain(wire: WireRetryPolicy, hasDeadline: boolean): RetryPolicy {
  const { factor, jitter = defaultBackoff.jitter, budget } = wire
  const policy: RetryPolicy = {
    maxAttempts: limitsToDomain(wire),
    firstDelayMs: delayToDomain(wire.firstDelay, defaultBackoff.firstDelayMs, 'first_delay'),
    factor: factor === 0 ? defaultBackoff.factor : factor,
    maxDelayMs: delayToDomain(wire.maxDelay, defaultBackoff.maxDelayMs, 'max_delay'),
    jitter,
    ...(budget === undefined ? {} : { budget }),
  }
  if (!(policy.factor >= 1 && policy.factor <= maxFactor)) {
    throw badRetry(`the factor of the backoff is ${factor}: give a number from 1 to ${maxFactor}`, 'factor')
  }
  if (!(jitter >= 0 && jitter <= 1)) {
    throw badRetry(`the jitter of the backoff is ${jitter}: give a share from 0 to 1`, 'jitter')
  }
  const endless = explainEndless(policy, hasDeadline)
  if (endless !== undefined) throw invalid('ENDLESS_RETRIES', endless, 'job.retry')
  return policy
}

function limitsToDomain({ limits }: WireRetryPolicy): RetryPolicy['maxAttempts'] {
  const maxAttempts: Partial<Record<RetryableKind, number>> = {}
  for (const [index, { kind: wire, maxAttempts: most }] of limits.entries()) {
    const field = `limits[${index}]`
    const kind = domainKindOf(wire)
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
  return invalid('BAD_RETRY', message, `job.retry.${field}`)
}
