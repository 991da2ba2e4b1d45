import { retryableKinds, type RetryPolicy } from '#libs/domain'
import { type JobSpec, type RetryPolicy as WireRetryPolicy, failureKindToWire } from '#libs/proto'

import type { Endings } from './endings.js'

/** How a job may end, as it travels. */
export function endingsToWire({
  retry,
  deadlineMs,
  failFast,
}: Endings): Pick<JobSpec, 'retry' | 'deadline' | 'failFast'> {
  const deadline = deadlineMs === undefined ? undefined : durationToWire(deadlineMs)
  return { retry: retry && retryToWire(retry), deadline, failFast }
}

export function retryToWire({
  maxAttempts,
  firstDelayMs,
  factor,
  maxDelayMs,
  jitter,
  budget,
}: RetryPolicy): WireRetryPolicy {
  const limits = retryableKinds.flatMap((kind) => {
    const limit = maxAttempts[kind]
    return limit === undefined ? [] : { kind: failureKindToWire(kind), maxAttempts: limit === Infinity ? 0 : limit }
  })
  return {
    limits,
    firstDelay: durationToWire(firstDelayMs),
    factor,
    maxDelay: durationToWire(maxDelayMs),
    jitter,
    budget,
  }
}

/** Milliseconds as a span of time, or those since the Unix epoch as a point in time. */
export function durationToWire(ms: number): { seconds: bigint; nanos: number } {
  const seconds = Math.floor(ms / 1000)
  return { seconds: BigInt(seconds), nanos: Math.round((ms - seconds * 1000) * 1e6) }
}
