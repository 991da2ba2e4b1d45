import type { ObjectId, SessionId, WorkerId } from '#libs/domain'

import { answer, type Out } from './effect.js'
import type { EventOf } from './event.js'
import { findObject, isScattered, isWanted, objectIdOf } from './lookup.js'
import type { Job, State, Task, Worker } from './state.js'

/** The most objects that a worker is told to bring into the checkpoint-store at a time. */
export const mostAtOnce = 1_000
/** The most that is remembered for want of somebody who could say it. */
const mostUnwanted = 100_000

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
 * A large result that no task waits for is what its client asked for: where that is wanted, the checkpoint-store is to have it, so
 * that it outlives its worker. What others take is computed again if need be.
 */
export function archiveOutput(state: State, task: Task, out: Out): void {
  if (!isUnarchived(state, task)) return
  const { awaited } = state.archiving
  const ofJob = awaited.get(task.job)
  if (ofJob) ofJob.add(task)
  else awaited.set(task.job, new Set([task]))
  bringToStore(state, [objectIdOf(task)], out)
}

/** The same of all results of a job that is to keep them from now on. */
export function archiveOutputsOfJob(state: State, { tasks }: Job, out: Out): void {
  for (const task of tasks) archiveOutput(state, task, out)
}

/** The same of what a worker holds that has come back: it may not have heard, or not have come to it. */
export function archiveOutputsOf(state: State, worker: Worker, out: Out): void {
  for (const objectId of worker.objects) {
    const entity = findObject(state, objectId)
    if (entity !== undefined && !isScattered(entity)) archiveOutput(state, entity, out)
  }
}

/** What did not come to the checkpoint-store is asked for again: that may have been out of reach, or full. */
export function askAgainForOutputs(state: State, atMs: number, out: Out): void {
  const { archiving, policy } = state
  if (archiving.awaited.size === 0 || atMs - archiving.askedAtMs < policy.archiveAgainMs) return
  archiving.askedAtMs = atMs
  const asked: ObjectId[] = []
  for (const [job, tasks] of archiving.awaited) {
    for (const task of tasks) {
      if (isUnarchived(state, task)) asked.push(objectIdOf(task))
      else forgetOutput(state, task)
    }
    if (tasks.size === 0) archiving.awaited.delete(job)
  }
  bringToStore(state, asked, out)
}

/** The result is in the checkpoint-store, or is to be there no longer. */
export function forgetOutput({ archiving }: State, task: Task): void {
  const ofJob = archiving.awaited.get(task.job)
  if (ofJob?.delete(task) && ofJob.size === 0) archiving.awaited.delete(task.job)
}

/** How many large results of the job are to be in the checkpoint-store and are not, so that a crash can still lose them. */
export function countVolatile(state: State, job: Job): number {
  let count = 0
  for (const task of state.archiving.awaited.get(job) ?? []) if (isUnarchived(state, task)) count++
  return count
}

/** Whether the result is one of them. */
export function isOnItsWay(state: State, task: Task): boolean {
  return state.archiving.awaited.get(task.job)?.has(task) === true && isUnarchived(state, task)
}

/** From how many bytes on results of the job are brought to the checkpoint-store; `Infinity` when none are. */
export function durableBytesOf({ policy }: State, { spec, persistedAs }: Pick<Job, 'spec' | 'persistedAs'>): number {
  const { durableResultBytes, durableDetachedBytes } = policy
  const isKept = spec.detached || persistedAs !== undefined
  return isKept ? Math.min(durableDetachedBytes, durableResultBytes) : durableResultBytes
}

/** Whether the result is to be in the checkpoint-store, and is not known to be there. */
export function isUnarchived(state: State, { job, status, released, dependents, archive }: Task): boolean {
  if (status.kind !== 'settled' || status.outcome.kind === 'failed') return false
  const { result } = status.outcome
  if (result.kind === 'inline' || released || archive !== undefined || dependents?.size) return false
  return result.byteLength >= durableBytesOf(state, job)
}

/** The checkpoint-store need not keep it any more: somebody who can reach it says so. */
export function releaseArchive(state: State, objectId: ObjectId, blobDigest: string, out: Out): void {
  for (const worker of state.workers.values()) {
    if (!isLinked(worker)) continue
    out.effects.push({ kind: 'releaseArchive', workerId: worker.profile.workerId, objectId, blobDigest })
    return
  }
  const { unwanted } = state.archiving
  // Beyond that the store's own clock collects them.
  if (unwanted.size < mostUnwanted) unwanted.set(objectId, blobDigest)
}

/** The same of what was given up while no worker was there. */
export function releaseUnwanted(state: State, { profile }: Worker, out: Out): void {
  const { unwanted } = state.archiving
  for (const [objectId, blobDigest] of unwanted) {
    out.effects.push({ kind: 'releaseArchive', workerId: profile.workerId, objectId, blobDigest })
  }
  unwanted.clear()
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
