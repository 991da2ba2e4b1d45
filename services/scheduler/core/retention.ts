import { emit } from './emit.js'
import type { Out } from './effect.js'
import { dropCopies } from './outcome.js'
import type { Job, State } from './state.js'

/** Forgets settled jobs beyond the limit, the oldest first, once nobody holds their results. */
export function forgetOldJobs(state: State, out: Out): void {
  let settled = 0
  for (const { settledAtMs } of state.jobs.values()) if (settledAtMs !== undefined) settled++
  for (const [jobId, job] of state.jobs) {
    if (settled <= state.policy.maxSettledJobs) return
    if (!isForgettable(job)) continue
    for (const task of job.tasks) dropCopies(state, task, out)
    emit(state, out, { kind: 'jobForgotten', jobId })
    settled--
  }
}

function isForgettable({ settledAtMs, persistedAs, followers, unreleased, tasks }: Job): boolean {
  return (
    settledAtMs !== undefined &&
    persistedAs === undefined &&
    (followers.size === 0 || unreleased === 0) &&
    tasks.every(({ dependents }) => !dependents?.size)
  )
}
