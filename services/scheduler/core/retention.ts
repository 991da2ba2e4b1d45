import { emit } from './emit.js'
import type { Out } from './effect.js'
import type { Job, State } from './state.js'

/** Forgets settled jobs beyond the limit, the oldest first, once nobody holds their results. */
export function forgetOldJobs(state: State, out: Out): void {
  let settled = 0
  for (const job of state.jobs.values()) if (job.settledAtMs !== undefined) settled++
  for (const [jobId, job] of state.jobs) {
    if (settled <= state.policy.maxSettledJobs) return
    if (!isForgettable(job)) continue
    emit(state, out, { kind: 'jobForgotten', jobId })
    settled--
  }
}

function isForgettable(job: Job): boolean {
  return (
    job.settledAtMs !== undefined &&
    job.persistedAs === undefined &&
    (job.followers.size === 0 || job.tasks.every(({ released }) => released)) &&
    job.tasks.every(({ dependents, holders }) => !dependents?.size && !holders?.size)
  )
}
