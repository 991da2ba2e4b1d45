import type { ObjectId, SessionId, WorkerId } from '#libs/domain'

import { answer, type Out } from './effect.js'
import type { EventOf } from './event.js'
import { findObject, isScattered, isWanted, objectIdOf } from './lookup.js'
import type { State, Task, Worker } from './state.js'

/** The most objects that a worker is told to bring into the checkpoint-store at a time. */
export const mostAtOnce = 1_000

/** A session that was cut off hears again which of its scattered buffers are in the checkpoint-store. */
export function tellArchives(state: State, sessionId: SessionId, out: Out): void {
  const to = new Set([sessionId])
  for (const { sessionId: owner, objectId, archive: blobDigest } of state.objects.values()) {
    if (owner === sessionId && blobDigest !== undefined)
      out.effects.push({ kind: 'notifyArchived', objectId, blobDigest, to })
  }
}

/** Somebody cannot reach the workers that hold objects, but can reach the checkpoint-store. */
export function requestArchives(state: State, event: EventOf<'archivesRequested'>, out: Out): void {
  bringToStore(state, event.objectIds, out)
  answer(out, event)
}

/**
 * A large result that no task waits for is what its client asked for: the checkpoint-store is to have it, so that it outlives its
 * worker. What others take is computed again if need be.
 */
export function archiveOutput(state: State, task: Task, out: Out): void {
  if (isLargeOutput(state, task)) bringToStore(state, [objectIdOf(task)], out)
}

/** The same of what a worker holds that has come back: it may not have heard, or not have come to it. */
export function archiveOutputsOf(state: State, worker: Worker, out: Out): void {
  if (state.policy.durableResultBytes === Infinity) return
  const outputs = [...worker.objects].filter((objectId) => {
    const entity = findObject(state, objectId)
    return entity !== undefined && !isScattered(entity) && isLargeOutput(state, entity)
  })
  bringToStore(state, outputs, out)
}

function isLargeOutput({ policy }: State, { status, released, dependents }: Task): boolean {
  if (released || dependents?.size || status.kind !== 'settled' || status.outcome.kind === 'failed') return false
  const { result } = status.outcome
  return result.kind === 'object' && result.byteLength >= policy.durableResultBytes
}

/** Tells holders to bring what the checkpoint-store does not have; the same request again is the same command. */
export function bringToStore(state: State, objectIds: Iterable<ObjectId>, out: Out): void {
  const byHolder = new Map<WorkerId, ObjectId[]>()
  for (const objectId of new Set(objectIds)) {
    const entity = findObject(state, objectId)
    if (entity === undefined || !isWanted(entity) || entity.archive !== undefined) continue
    const holder = [...(entity.holders ?? [])].find((workerId) => isLinked(state.workers.get(workerId)))
    if (holder === undefined) continue
    const wanted = byHolder.get(holder)
    if (wanted === undefined) byHolder.set(holder, [objectId])
    else if (wanted.length < mostAtOnce) wanted.push(objectId)
  }
  for (const [workerId, wanted] of byHolder) out.effects.push({ kind: 'handOver', workerId, objectIds: wanted })
}

function isLinked(worker: Worker | undefined): boolean {
  return worker !== undefined && worker.unlinkedSinceMs === undefined
}
