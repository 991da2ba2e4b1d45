import type { TaskFailure } from '#libs/domain'

import { emit } from './emit.js'
import { refuseChanged } from './etag.js'
import { answer, type Out, unknownJob } from './effect.js'
import type { EventOf } from './event.js'
import { takeBackFollowers } from './followers.js'
import { attemptOf, objectIdOf } from './lookup.js'
import { failDependents, recordFailure } from './outcome.js'
import { withHistory } from './retries.js'
import { isOnWorker, vacateSlot } from './slots.js'
import type { State, Task } from './state.js'

/** Settles as cancelled what is not settled, and stops what runs. */
export function cancelTasks(state: State, event: EventOf<'cancelRequested'>, out: Out): void {
  const { jobId, indices, reason, atMs } = event
  const job = state.jobs.get(jobId)
  const refusal = job ? refuseChanged(job, event.etag) : unknownJob(jobId)
  if (job === undefined || refusal) return answer(out, event, refusal && { refusal })
  const unknown = indices?.find((index) => job.tasks[index] === undefined)
  if (unknown !== undefined) {
    const message = `job ${jobId} has ${job.tasks.length} tasks, so there is no task ${unknown}`
    const resource = { type: 'costate.task', name: `${jobId}/${unknown}` }
    return answer(out, event, { refusal: { code: 'NOT_FOUND', reason: 'TASK_NOT_FOUND', message, resource } })
  }
  if (indices === undefined && !job.cancelled && job.settledAtMs === undefined)
    emit(state, out, { kind: 'jobCancelled', jobId })
  const failureOf = (task: Task): TaskFailure => {
    const message = `task ${objectIdOf(task)} was cancelled: ${reason}`
    return withHistory(task, { kind: 'cancelled', reason: 'CANCELLED', message, attempts: task.attempt })
  }
  stopTasks(state, indices?.map((index) => job.tasks[index] as Task) ?? job.tasks, failureOf, reason, atMs, out)
  answer(out, event, { jobId })
}

/** Settles as failed in this way what is not settled of these, and stops what runs. */
export function stopTasks(
  state: State,
  tasks: readonly Task[],
  failureOf: (task: Task) => TaskFailure,
  reason: string,
  atMs: number,
  out: Out,
): void {
  const stopped: Task[] = []
  for (const task of tasks) {
    const { status } = task
    if (status.kind === 'settled') continue
    if (isOnWorker(status)) {
      const { workerId } = status
      out.effects.push({ kind: 'cancelAttempt', workerId, attempt: attemptOf(task, status), reason })
      vacateSlot(state, task)
    }
    recordFailure(state, task, failureOf(task), atMs, out)
    stopped.push(task)
  }
  // Only now, so that each of these is stopped itself, and not for having lost an input.
  for (const task of stopped) {
    failDependents(state, task, atMs, out)
    takeBackFollowers(state, task, atMs, out)
  }
}
