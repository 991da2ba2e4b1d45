import { parseTaskId, taskIdOf, type ObjectId, type WorkerId } from '#libs/domain'

import type { AttemptRef } from './event.js'
import type { Placement, ScatteredObject, State, Task } from './state.js'

/** What an object id names: the result of a task, or a scattered buffer. */
export type ObjectEntity = Task | ScatteredObject

/** The result or buffer with this id, or nothing when it is unknown or forgotten. */
export function findObject(state: State, objectId: ObjectId): ObjectEntity | undefined {
  const scattered = state.objects.get(objectId)
  if (scattered) return scattered
  const id = parseTaskId(objectId)
  return id && state.jobs.get(id.jobId)?.tasks[id.index]
}

/** The object's id. */
export function objectIdOf(entity: ObjectEntity): ObjectId {
  return isScattered(entity) ? entity.objectId : (taskIdOf(entity.job.spec.jobId, entity.index) as string as ObjectId)
}

export function isScattered(entity: ObjectEntity): entity is ScatteredObject {
  return 'objectId' in entity
}

/** Whether the value can be had now. */
export function isAvailable(entity: ObjectEntity): boolean {
  if (isScattered(entity)) return isKept(entity)
  const { status } = entity
  if (status.kind !== 'settled' || status.outcome.kind === 'failed') return false
  return status.outcome.result.kind === 'inline' || isKept(entity)
}

/** Whether a worker holds it, or the checkpoint-store has it. */
export function isKept({ holders, archive }: ObjectEntity): boolean {
  return (holders?.size ?? 0) > 0 || archive !== undefined
}

/** Whether somebody still wants the value: a client, or a task that is not settled. */
export function isWanted(entity: ObjectEntity): boolean {
  return !entity.released || (entity.dependents?.size ?? 0) > 0
}

/** Whether the value was there, but nobody holds it any more. */
export function isLost(entity: ObjectEntity): boolean {
  if (isScattered(entity)) return !isKept(entity)
  return entity.status.kind === 'settled' && entity.status.outcome.kind === 'finished' && !isAvailable(entity)
}

/** A worker holds the object from now on. */
export function addHolder(state: State, entity: ObjectEntity, workerId: WorkerId): void {
  if (isScattered(entity)) entity.holders.add(workerId)
  else (entity.holders ??= new Set()).add(workerId)
  state.workers.get(workerId)?.objects.add(objectIdOf(entity))
}

/** The attempt that a task on a worker is in. */
export function attemptOf({ job, index }: Task, { epoch, attempt }: Placement): AttemptRef {
  return { jobId: job.spec.jobId, index, epoch, attempt }
}
