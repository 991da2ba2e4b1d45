import type { TaskFailure } from '#libs/domain'

import { stopTasks } from './cancel.js'
import type { Out } from './effect.js'
import { objectIdOf } from './lookup.js'
import { withHistory } from './retries.js'
import type { Job, State, Task } from './state.js'

/** Jobs whose time is over: what is not settled fails, and what runs is stopped. */
export function expireJobs(state: State, atMs: number, out: Out): void {
  for (const job of state.deadlines) expireJob(state, job, atMs, out)
}

/** The same for one job, if its time is over. */
export function expireJob(state: State, { spec, settledAtMs, tasks }: Job, atMs: number, out: Out): void {
  const { deadlineMs, jobId } = spec
  if (deadlineMs === undefined || atMs < deadlineMs || settledAtMs !== undefined) return
  const deadline = new Date(deadlineMs).toISOString()
  const failureOf = (task: Task): TaskFailure => {
    const message = `task ${objectIdOf(task)} was not done by the deadline of its job, ${deadline}`
    return withHistory(task, { kind: 'timeout', reason: 'JOB_DEADLINE', message, attempts: task.attempt })
  }
  stopTasks(state, tasks, failureOf, `the deadline of job ${jobId} is over`, atMs, out)
}

/** With the first task that failed for good, the others of a job that fails fast are cancelled. Returns whether any were. */
export function endFailedJobs(state: State, atMs: number, out: Out): boolean {
  let stopped = false
  // Tasks of other jobs that depend on a cancelled one fail, and may end their jobs in turn.
  for (const job of state.failing) {
    state.failing.delete(job)
    if (job.settledAtMs !== undefined) continue
    const cause = firstFailureOf(job)
    const failureOf = (task: Task): TaskFailure => {
      const why = cause ? `: ${cause.message}` : ''
      const message = `task ${objectIdOf(task)} was cancelled, because another of its job failed${why}`
      const failure: TaskFailure = { kind: 'cancelled', reason: 'FAIL_FAST', message, attempts: task.attempt }
      return withHistory(task, cause ? { ...failure, cause } : failure)
    }
    stopTasks(state, job.tasks, failureOf, 'another task of its job failed', atMs, out)
    stopped = true
  }
  return stopped
}

/** The one that began it: not one that failed with its input. */
function firstFailureOf({ tasks }: Job): TaskFailure | undefined {
  for (const { status } of tasks) {
    if (status.kind !== 'settled' || status.outcome.kind === 'finished') continue
    const { failure } = status.outcome
    if (failure.kind !== 'cancelled') return failure.reason === 'INPUT_FAILED' ? (failure.cause ?? failure) : failure
  }
  return undefined
}
