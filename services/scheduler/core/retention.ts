import { isChildInUse } from './children.js'
import { emit } from './emit.js'
import type { Out } from './effect.js'
import { dropCopies } from './outcome.js'
import type { Job, JobRecord, State } from './state.js'

type SettledJob = Job & { readonly settledAtMs: number }

/**
 * Settled jobs that nobody holds lose their results when these are old, or the oldest of them when they are too many or take
 * too much. A record of each is left for longer.
 */
export function forgetOldJobs(state: State, atMs: number, out: Out): void {
  const { resultTtlMs, maxSettledJobs, maxSettledTasks, maxSettledBytes } = state.policy
  let settled = 0
  let tasks = 0
  let unheldBytes = 0
  let newest: Job | undefined
  for (const job of state.jobs.values()) {
    if (job.settledAtMs === undefined) continue
    settled++
    tasks += job.tasks.length
    if (isHeld(job)) continue
    unheldBytes += job.bytes
    if (newest?.settledAtMs === undefined || job.settledAtMs >= newest.settledAtMs) newest = job
  }
  /** Results that nobody gave up make room only for other jobs, not for their own size. */
  const isTooMuch = (job: Job): boolean =>
    (tasks > maxSettledTasks && job.unreleased === 0) ||
    (unheldBytes > maxSettledBytes && (job.unreleased === 0 || job !== newest))
  for (const job of state.jobs.values()) {
    if (!isSettled(job) || isHeld(job)) continue
    if (atMs - job.settledAtMs < resultTtlMs && settled <= maxSettledJobs && !isTooMuch(job)) continue
    // Looked at last: it takes a look at every task.
    if (isNeeded(state, job)) continue
    retireJob(state, job, out)
    settled--
    tasks -= job.tasks.length
    unheldBytes -= job.bytes
  }
  forgetRecords(state, atMs, out)
}

function retireJob(state: State, job: SettledJob, out: Out): void {
  for (const task of job.tasks) dropCopies(state, task, out)
  const { spec, number, counts, submittedAtMs, settledAtMs, cancelled } = job
  const { jobId, name, trace, detached, parent } = spec
  const shown = { jobId, name, trace, detached, ...(parent && { parent }) }
  const record: JobRecord = { spec: shown, number, counts: { ...counts }, submittedAtMs, settledAtMs, cancelled }
  emit(state, out, { kind: 'jobRetired', record })
}

function forgetRecords(state: State, atMs: number, out: Out): void {
  const { historyTtlMs, maxJobRecords } = state.policy
  for (const [jobId, { settledAtMs }] of state.history) {
    if (state.history.size > maxJobRecords || atMs - settledAtMs >= historyTtlMs) {
      emit(state, out, { kind: 'jobForgotten', jobId })
    }
  }
}

function isSettled(job: Job): job is SettledJob {
  return job.settledAtMs !== undefined
}

/** Whether it is pinned, or a session, or the task that submitted it, may still ask for its results. */
function isHeld(job: Job): boolean {
  const { persistedAs, followers, unreleased } = job
  return persistedAs !== undefined || (followers.size > 0 && unreleased > 0) || isChildInUse(job)
}

/** Whether a task that is not settled takes one of its results, or jobs that its tasks submitted are yet to end with them. */
function isNeeded({ bereft }: State, { tasks }: Job): boolean {
  return tasks.some((task) => task.dependents?.size || bereft.has(task))
}
