import type { TaskFailure } from '#libs/domain'

import { emit } from './emit.js'
import { answer, type Out } from './effect.js'
import type { EventOf } from './event.js'
import { failDependents, recordSettle } from './outcome.js'
import type { AttemptRecord, Job, State, Task } from './state.js'

/** Settles as cancelled what is not settled, and stops what runs. */
export function cancelTasks(state: State, event: EventOf<'cancelRequested'>, out: Out): void {
  const { jobId, indices, reason, atMs } = event
  const job = state.jobs.get(jobId)
  if (job === undefined) {
    const message = `job ${jobId} is unknown or forgotten`
    return answer(out, event, { refusal: { code: 'NOT_FOUND', reason: 'JOB_NOT_FOUND', message, metadata: { jobId } } })
  }
  const unknown = indices?.find((index) => job.tasks[index] === undefined)
  if (unknown !== undefined) {
    const message = `job ${jobId} has ${job.tasks.length} tasks, so there is no task ${unknown}`
    return answer(out, event, { refusal: { code: 'NOT_FOUND', reason: 'TASK_NOT_FOUND', message } })
  }
  if (indices === undefined && !job.cancelled && job.settledAtMs === undefined)
    emit(state, out, { kind: 'jobCancelled', jobId })
  cancelEach(state, job, indices?.map((index) => job.tasks[index] as Task) ?? job.tasks, reason, atMs, out)
  answer(out, event, { jobId })
}

function cancelEach(state: State, job: Job, tasks: readonly Task[], reason: string, atMs: number, out: Out): void {
  for (const task of tasks) {
    const { status } = task
    if (status.kind === 'settled') continue
    if (status.kind === 'assigned' || status.kind === 'running') {
      const attempt = { jobId: job.spec.jobId, index: task.index, epoch: state.epoch, attempt: status.attempt }
      out.effects.push({ kind: 'cancelAttempt', workerId: status.workerId, attempt, reason })
      state.workers.get(status.workerId)?.tasks.delete(task)
    }
    const message = `task ${job.spec.jobId}/${task.index} was cancelled: ${reason}`
    const failure: TaskFailure = { kind: 'cancelled', reason: 'CANCELLED', message, attempts: task.attempt }
    const record: AttemptRecord = { attempt: task.attempt, workerId: undefined, slot: 0, startedAtMs: 0, endedAtMs: 0 }
    recordSettle(state, task, { kind: 'failed', failure }, record, atMs, out)
    failDependents(state, task, atMs, out)
  }
}
