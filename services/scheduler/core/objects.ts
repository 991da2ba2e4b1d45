import type { ObjectId, TaskFailure, WorkerId } from '#libs/domain'

import { emit } from './emit.js'
import type { Out } from './effect.js'
import type { EventOf } from './event.js'
import { awaitInputs } from './inputs.js'
import { findObject, isLostResult, objectIdOf } from './lookup.js'
import { dropIfUnneeded, failTask } from './outcome.js'
import type { ScatteredObject, State, Task } from './state.js'
import { setStatus } from './status.js'

/** The clients give up their hold; what no unsettled task needs is forgotten by its holders. */
export function releaseObjects(state: State, event: EventOf<'objectsReleased'>, out: Out): void {
  for (const objectId of event.objectIds) {
    const entity = findObject(state, objectId)
    if (entity === undefined || entity.released) continue
    emit(state, out, { kind: 'objectReleased', objectId })
    dropIfUnneeded(state, entity, out)
  }
}

/**
 * A worker holds the object no longer. A result that somebody still wants is computed again; a scattered buffer cannot be,
 * and fails those who depend on it.
 */
export function removeHolder(state: State, objectId: ObjectId, workerId: WorkerId, atMs: number, out: Out): void {
  state.workers.get(workerId)?.objects.delete(objectId)
  const entity = findObject(state, objectId)
  if (!entity?.holders?.delete(workerId) || entity.holders.size > 0) return
  if ('objectId' in entity) loseScattered(state, entity, atMs, out)
  else if (!entity.released || (entity.dependents?.size ?? 0) > 0) recompute(state, entity, atMs, out)
}

function loseScattered(state: State, object: ScatteredObject, atMs: number, out: Out): void {
  const message = `the scattered buffer ${object.objectId} is lost with the last worker that held it: scatter it again`
  const failure: TaskFailure = { kind: 'input', reason: 'INPUT_LOST', message }
  for (const task of [...(object.dependents ?? [])]) {
    if (task.status.kind === 'waiting' || task.status.kind === 'queued') failTask(state, task, failure, atMs, out)
  }
  if (object.sessionId !== undefined) {
    out.effects.push({ kind: 'notifyLost', objectId: object.objectId, failure, to: new Set([object.sessionId]) })
  }
}

function recompute(state: State, task: Task, atMs: number, out: Out): void {
  const objectId = objectIdOf(task)
  const { jobId } = task.job.spec
  emit(state, out, { kind: 'taskReopened', jobId, index: task.index })
  const message = `the result of ${objectId} is lost with the last worker that held it, and is computed again`
  const failure: TaskFailure = { kind: 'workerLost', reason: 'RESULT_LOST', message }
  out.effects.push({ kind: 'notifyLost', objectId, failure, to: task.job.followers })
  for (const dependent of task.dependents ?? []) {
    if (dependent.status.kind === 'waiting') dependent.status.missing++
    else if (dependent.status.kind === 'queued') {
      setStatus(dependent, { kind: 'waiting', missing: 1 })
    }
  }
  // Its own inputs may be gone too: they are computed first.
  for (const inputId of task.spec.dependencies) {
    const input = findObject(state, inputId)
    if (input && !('objectId' in input) && isLostResult(input)) recompute(state, input, atMs, out)
  }
  awaitInputs(state, task, atMs, out)
}
