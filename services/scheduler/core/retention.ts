import { emit } from './emit.js'
import type { Out } from './effect.js'
import { dropCopies } from './outcome.js'
import type { Job, State } from './state.js'

/** Forgets settled jobs beyond the limit, the oldest first, once nobody holds their results. */
export function forgetOldJobs(state: State, out: Out): void {
  const { maxSettledJobs, maxSettledTasks } = state.policy
  let settled = 0
  let tasks = 0
  for (const job of state.jobs.values()) {
    if (job.settledAtMs === undefined) continue
    settled++
    tasks += job.tasks.length
  }
  for (const [jobId, job] of state.jobs) {
    if (settled <= maxSettledJobs && tasks <= maxSettledTasks) return
    // Results that nobody gave up make room only for other jobs, not for their own size.
    if (settled <= maxSettledJobs && job.unreleased > 0) continue
    if (!isForgettable(job)) continue
    for (const task of job.tasks) dropCopies(state, task, out)
    emit(state, out, { kind: 'jobForgotten', jobId })
    settled--
    tasks -= job.tasks.length
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
