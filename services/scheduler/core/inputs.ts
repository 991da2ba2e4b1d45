import type { TaskFailure } from '#libs/domain'

import { emit } from './emit.js'
import type { Out } from './effect.js'
import { findObject, isAvailable } from './lookup.js'
import { failedInput, failTask } from './outcome.js'
import type { State, Task } from './state.js'
import { enqueue, setStatus } from './status.js'

/** Makes a task wait for the inputs that are not there, or queues it. A task whose input has failed fails with it. */
export function awaitInputs(state: State, task: Task, atMs: number, out: Out): void {
  let missing = 0
  for (const objectId of new Set(task.spec.dependencies)) {
    const entity = findObject(state, objectId)
    if (entity === undefined) return failTask(state, task, lostInput(objectId), atMs, out)
    if ('status' in entity && entity.status.kind === 'settled' && entity.status.outcome.kind === 'failed') {
      return failTask(state, task, failedInput(objectId, entity), atMs, out)
    }
    ;(entity.dependents ??= new Set()).add(task)
    if (!isAvailable(entity)) missing++
  }
  if (missing > 0) setStatus(task, { kind: 'waiting', missing })
  else enqueue(state, task, atMs)
}

/** An attempt came to nothing through no fault of the task: it is run again, but not for ever. */
export function loseAttempt(state: State, task: Task, atMs: number, out: Out, why: string): void {
  const { jobId } = task.job.spec
  emit(state, out, { kind: 'attemptLost', jobId, index: task.index })
  if (task.losses > state.policy.maxLosses) {
    const message = `task ${jobId}/${task.index} was lost ${task.losses} times, the last time because ${why}`
    const failure: TaskFailure = { kind: 'workerLost', reason: 'WORKER_LOST', message, attempts: task.attempt }
    return failTask(state, task, failure, atMs, out)
  }
  awaitInputs(state, task, atMs, out)
}

function lostInput(objectId: string): TaskFailure {
  const message = `its input ${objectId} is lost with the last worker that held it, and cannot be computed again`
  return { kind: 'input', reason: 'INPUT_LOST', message }
}
