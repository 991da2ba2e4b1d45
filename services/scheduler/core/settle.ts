import type { WorkerId } from '#libs/domain'

import type { Out } from './effect.js'
import type { AttemptEnd, EventOf } from './event.js'
import { loseAttempt } from './inputs.js'
import { addHolder } from './lookup.js'
import { dropIfUnneeded, failDependents, recordSettle } from './outcome.js'
import { learnRunTime } from './placement.js'
import type { Outcome, State, Task } from './state.js'
import { enqueue } from './status.js'

/** The first end of a task's current attempt settles it; every other is only acknowledged, so that its worker forgets it. */
export function endTasks(state: State, event: EventOf<'tasksEnded'>, out: Out): void {
  const { workerId, atMs } = event
  for (const end of event.ends) {
    const { jobId, index, epoch, attempt } = end
    out.effects.push({ kind: 'acknowledgeEnd', workerId, attempt: { jobId, index, epoch, attempt } })
    const task = state.jobs.get(jobId)?.tasks[index]
    if (task === undefined || !isCurrent(task, workerId, end) || end.epoch !== state.epoch) {
      if (end.outcome.kind === 'finished' && end.outcome.result.kind === 'object') {
        out.effects.push({ kind: 'releaseObject', workerId, objectId: `${jobId}/${index}` as never })
      }
      continue
    }
    state.workers.get(workerId)?.tasks.delete(task)
    if (isFetchFailure(end)) loseAttempt(state, task, atMs, out, 'its inputs could not be fetched from their holders')
    else settle(state, task, end, workerId, atMs, out)
  }
}

/** Whether the report is of the attempt that the task is in now. */
export function isCurrent({ status }: Task, workerId: WorkerId, { attempt }: { readonly attempt: number }): boolean {
  return (
    (status.kind === 'assigned' || status.kind === 'running') &&
    status.workerId === workerId &&
    status.attempt === attempt
  )
}

/** The worker could not get an input from its holders: nobody's fault but the holder's. */
function isFetchFailure({ outcome }: AttemptEnd): boolean {
  return outcome.kind === 'failed' && outcome.failure.reason === 'INPUT_UNAVAILABLE'
}

function settle(state: State, task: Task, end: AttemptEnd, workerId: WorkerId, atMs: number, out: Out): void {
  const { slot, startedAtMs, endedAtMs, attempt } = end
  learnRunTime(state, task, endedAtMs - startedAtMs)
  const outcome: Outcome =
    end.outcome.kind === 'finished'
      ? end.outcome
      : { kind: 'failed', failure: { ...end.outcome.failure, workerId, attempts: attempt } }
  recordSettle(state, task, outcome, { attempt, workerId, slot, startedAtMs, endedAtMs }, atMs, out)
  if (outcome.kind === 'finished') {
    if (outcome.result.kind === 'object') addHolder(state, task, workerId)
    for (const dependent of task.dependents ?? []) freeDependent(state, dependent, atMs)
  } else {
    failDependents(state, task, atMs, out)
  }
  // Its client may have released the result while the task ran.
  dropIfUnneeded(state, task, out)
}

function freeDependent(state: State, dependent: Task, atMs: number): void {
  if (dependent.status.kind !== 'waiting') return
  dependent.status.missing--
  if (dependent.status.missing === 0) enqueue(state, dependent, atMs)
}
