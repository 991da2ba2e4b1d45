import type { ObjectId, SessionId } from '#libs/domain'

import { forgetOutput, mostAtOnce, releaseArchive } from './archives.js'
import { emit } from './emit.js'
import type { Out } from './effect.js'
import type { EventOf } from './event.js'
import { findObject, isScattered, isWanted, type ObjectEntity } from './lookup.js'
import { loseObject } from './objects.js'
import type { State, Task, Worker } from './state.js'

/**
 * A worker that has finished its work is about to leave: it hands over what somebody wants and nobody else holds, and asks again
 * until there is nothing left. So scaling to zero loses nothing.
 */
export function departWorker(state: State, { workerId, atMs }: EventOf<'workerDeparting'>, out: Out): void {
  const worker = state.workers.get(workerId)
  if (worker === undefined) return
  worker.draining = true
  worker.heardAtMs = atMs
  out.effects.push({ kind: 'handOver', workerId, objectIds: soleCopies(state, worker) })
}

function soleCopies(state: State, { objects }: Worker): ObjectId[] {
  const sole: ObjectId[] = []
  for (const objectId of objects) {
    const entity = findObject(state, objectId)
    if (entity === undefined || !isWanted(entity) || entity.archive !== undefined || entity.holders?.size !== 1)
      continue
    if (sole.push(objectId) === mostAtOnce) break
  }
  return sole
}

/** What of the task's inputs only the checkpoint-store had, and could not give, is lost there. Whether there was any. */
export function giveUpArchives(state: State, task: Task, atMs: number, out: Out): boolean {
  let found = false
  for (const objectId of new Set(task.spec.dependencies)) {
    const input = findObject(state, objectId)
    if (input?.archive === undefined || input.holders?.size) continue
    found = true
    emit(state, out, { kind: 'archiveLost', objectId })
    // Those that are looking for it there in vain have to look elsewhere, as often as they need.
    for (const dependent of input.dependents ?? []) dependent.fetchFailures = 0
    loseObject(state, input, atMs, out)
  }
  return found
}

/** The checkpoint-store has what the worker holds. Of what it holds no more another attempt may have made something else. */
export function archiveObjects(state: State, event: EventOf<'objectsArchived'>, out: Out): void {
  const { workerId, atMs } = event
  const worker = state.workers.get(workerId)
  if (worker === undefined) return
  worker.heardAtMs = atMs
  for (const { objectId, blobDigest } of event.objects) {
    const entity = findObject(state, objectId)
    state.archiving.unwanted.delete(objectId)
    if (entity?.archive === blobDigest) continue
    if (entity === undefined || !worker.objects.has(objectId) || entity.archive !== undefined) {
      releaseArchive(state, objectId, blobDigest, out)
      continue
    }
    emit(state, out, { kind: 'objectArchived', objectId, blobDigest })
    if (!isScattered(entity)) forgetOutput(state, entity)
    out.effects.push({ kind: 'notifyArchived', objectId, blobDigest, to: followersOf(entity) })
  }
}

function followersOf(entity: ObjectEntity): ReadonlySet<SessionId> {
  if (!isScattered(entity)) return entity.job.followers
  return new Set(entity.sessionId === undefined ? [] : [entity.sessionId])
}
