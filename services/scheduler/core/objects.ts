import { type JobId, parseTaskId, type ObjectId, type WorkerId } from '#libs/domain'

import { archiveOutput } from './archives.js'
import { emit } from './emit.js'
import { answer, type Out } from './effect.js'
import type { EventOf, HeldObject, StoredReport } from './event.js'
import { lostBuffer, recompute, supplyInput } from './inputs.js'
import { addHolder, findObject, isAvailable, isKept, isScattered, isWanted, type ObjectEntity } from './lookup.js'
import { dropIfUnneeded, failTask, isHeldBack } from './outcome.js'
import { expectSession } from './sessions.js'
import type { ScatteredObject, State } from './state.js'

/** The clients give up their hold; what no unsettled task needs is forgotten by its holders. */
export function releaseObjects(state: State, event: EventOf<'objectsReleased'>, out: Out): void {
  const given = [...new Set(event.objectIds)].flatMap((objectId) => findObject(state, objectId) ?? [])
  const released = given.filter((entity) => !entity.released && !isPinned(entity))
  const indices = new Map<JobId, number[]>()
  for (const entity of released) {
    if (isScattered(entity)) emit(state, out, { kind: 'objectReleased', objectId: entity.objectId })
    else pushTo(indices, entity.job.spec.jobId, entity.index)
  }
  for (const [jobId, which] of indices) emit(state, out, { kind: 'resultsReleased', jobId, indices: which })
  for (const entity of released) dropIfUnneeded(state, entity, out)
}

function pushTo<Key, Item>(lists: Map<Key, Item[]>, key: Key, item: Item): void {
  const list = lists.get(key)
  if (list) list.push(item)
  else lists.set(key, [item])
}

/** A pinned job's results stay when their handles are gone. */
function isPinned(entity: ObjectEntity): boolean {
  return !isScattered(entity) && entity.job.persistedAs !== undefined
}

/** A client scattered buffers to a worker. */
export function storeObjects(state: State, event: EventOf<'objectsStored'>, out: Out): void {
  const { workerId, atMs } = event
  const worker = state.workers.get(workerId)
  // Who was taken for lost says what it holds when it comes back, and repeats this.
  if (worker === undefined) return
  worker.heardAtMs = atMs
  recordStored(state, workerId, event, atMs, out)
}

/** Remembers scattered buffers and who holds them, and says so; the same report again changes nothing. Returns their ids. */
export function recordStored(
  state: State,
  workerId: WorkerId,
  { requestId, sessionId, objects }: StoredReport,
  atMs: number,
  out: Out,
): ObjectId[] {
  if (sessionId !== undefined) expectSession(state, sessionId, atMs)
  const stored: ObjectId[] = []
  for (const object of objects) {
    const { objectId, descriptor, byteLength } = object
    if (parseTaskId(objectId)) {
      if (recordCopy(state, workerId, object, atMs, out)) stored.push(objectId)
      continue
    }
    if (!state.objects.has(objectId)) {
      emit(state, out, { kind: 'objectStored', objectId, sessionId, descriptor, byteLength })
    }
    const entity = findObject(state, objectId)
    if (entity) addHolder(state, entity, workerId)
    stored.push(objectId)
  }
  out.effects.push({ kind: 'acknowledgeStored', workerId, requestId })
  return stored
}

/**
 * A worker has got the result of a task that another one made; the first that has it is announced by the end of the task. What is
 * not the result any more, or wanted by nobody, it forgets.
 */
function recordCopy(state: State, workerId: WorkerId, held: HeldObject, atMs: number, out: Out): boolean {
  const { objectId } = held
  const entity = findObject(state, objectId)
  // The worker is to make it anew: then it drops the copy by itself.
  if (entity && !isScattered(entity) && state.workers.get(workerId)?.tasks.has(entity)) return false
  if (entity === undefined || !isWanted(entity) || !isSame(entity, held)) {
    out.effects.push({ kind: 'releaseObject', workerId, objectId })
    return false
  }
  const wasThere = isAvailable(entity)
  addHolder(state, entity, workerId)
  if (wasThere) return true
  supplyInput(state, entity, atMs, out)
  // The one that made it may be gone, before the checkpoint-store had it.
  if (!isScattered(entity)) archiveOutput(state, entity, out)
  return true
}

/** Whether it is the value that is known, and not that of an attempt which did not count. */
export function isSame(entity: ObjectEntity, { descriptor }: HeldObject): boolean {
  if (isScattered(entity)) return haveSameBytes(entity.descriptor, descriptor)
  const { status } = entity
  if (status.kind !== 'settled' || status.outcome.kind === 'failed') return false
  const { result } = status.outcome
  return result.kind === 'object' && haveSameBytes(result.descriptor, descriptor)
}

function haveSameBytes(a: Uint8Array, b: Uint8Array): boolean {
  return a.byteLength === b.byteLength && a.every((byte, index) => byte === b[index])
}

/** A client has put buffers into the checkpoint-store: no worker need hold them. The same again changes nothing. */
export function scatterBlobs(state: State, event: EventOf<'blobsScattered'>, out: Out): void {
  const { sessionId, objects, atMs } = event
  expectSession(state, sessionId, atMs)
  for (const { blobDigest, ...object } of objects) {
    const { objectId } = object
    if (!state.objects.has(objectId)) emit(state, out, { kind: 'objectStored', sessionId, ...object })
    if (state.objects.get(objectId)?.archive === undefined)
      emit(state, out, { kind: 'objectArchived', objectId, blobDigest })
  }
  answer(out, event)
}

/** A worker gave objects up. */
export function dropObjects(state: State, event: EventOf<'objectsDropped'>, out: Out): void {
  for (const objectId of event.objectIds) removeHolder(state, objectId, event.workerId, event.atMs, out)
}

/**
 * A worker holds the object no longer. A result that somebody still wants is computed again; a scattered buffer cannot be,
 * and fails those who depend on it.
 */
export function removeHolder(state: State, objectId: ObjectId, workerId: WorkerId, atMs: number, out: Out): void {
  state.workers.get(workerId)?.objects.delete(objectId)
  const entity = findObject(state, objectId)
  if (!entity?.holders?.delete(workerId)) return
  if (!isKept(entity)) loseObject(state, entity, atMs, out)
  // Who was to bring it to the checkpoint-store may have been the one; another one can.
  else if (!isScattered(entity)) archiveOutput(state, entity, out)
}

/** Nobody has the object any more. */
export function loseObject(state: State, entity: ObjectEntity, atMs: number, out: Out): void {
  if (isScattered(entity)) loseScattered(state, entity, atMs, out)
  else if (isWanted(entity)) recompute(state, entity, atMs, out)
}

/** Nobody holds the buffer any more. What runs with it may finish. */
export function loseScattered(state: State, object: ScatteredObject, atMs: number, out: Out): void {
  const failure = lostBuffer(object)
  for (const task of [...(object.dependents ?? [])]) {
    if (isHeldBack(task)) failTask(state, task, failure, atMs, out)
  }
  if (object.sessionId !== undefined) {
    out.effects.push({ kind: 'notifyLost', objectId: object.objectId, failure, to: new Set([object.sessionId]) })
  }
}
