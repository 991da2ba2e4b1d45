import type { ObjectId, WorkerId } from '#libs/domain'

import { emit } from './emit.js'
import { answer, type Out } from './effect.js'
import type { AttemptRef, EventOf } from './event.js'
import { awaitInputs, loseAttempt } from './inputs.js'
import { addHolder, findObject } from './lookup.js'
import { removeHolder } from './objects.js'
import { isCurrent } from './settle.js'
import type { State, Task, Worker } from './state.js'
import { setStatus } from './status.js'

/** A worker joins, or comes back after a cut with what it still has. */
export function joinWorker(state: State, event: EventOf<'workerJoined'>, out: Out): void {
  const { profile, atMs } = event
  const { workerId } = profile
  const before = state.workers.get(workerId)
  const worker: Worker = {
    profile,
    tasks: before?.tasks ?? new Set(),
    objects: new Set(),
    draining: before?.draining ?? false,
    unlinkedSinceMs: undefined,
    rssBytes: 0,
    heardAtMs: atMs,
  }
  state.workers.set(workerId, worker)
  const claimed = new Set<Task>()
  for (const ref of event.attempts) {
    const task = state.jobs.get(ref.jobId)?.tasks[ref.index]
    if (task && isCurrent(task, workerId, ref) && ref.epoch === state.epoch) claimed.add(task)
    else out.effects.push({ kind: 'cancelAttempt', workerId, attempt: ref, reason: 'another attempt took its place' })
  }
  for (const task of [...worker.tasks]) {
    if (claimed.has(task)) continue
    worker.tasks.delete(task)
    // A command that was lost on the way is no loss of the worker: sent again, uncharged.
    requeue(state, task, atMs, out)
  }
  adoptObjects(state, worker, event, out)
  if (before) {
    for (const objectId of before.objects) {
      if (!worker.objects.has(objectId)) removeHolder(state, objectId, workerId, atMs, out)
    }
  }
}

function adoptObjects(state: State, worker: Worker, event: EventOf<'workerJoined'>, out: Out): void {
  const { workerId } = worker.profile
  for (const { objectId } of event.objects) {
    const entity = findObject(state, objectId)
    const wanted =
      entity !== undefined &&
      !entity.released &&
      ('objectId' in entity || (entity.status.kind === 'settled' && entity.status.outcome.kind === 'finished'))
    if (wanted) addHolder(state, entity, workerId)
    else if (entity === undefined || entity.released) out.effects.push({ kind: 'releaseObject', workerId, objectId })
  }
}

export function hearWorker(state: State, event: EventOf<'workerHeard'>): void {
  const worker = state.workers.get(event.workerId)
  if (worker === undefined) return
  worker.rssBytes = event.rssBytes
  worker.heardAtMs = event.atMs
}

/** A worker's link is cut. It may be a blip: it gets no tasks, and is lost when it does not come back. */
export function unlinkWorker(state: State, event: EventOf<'workerUnlinked'>): void {
  const worker = state.workers.get(event.workerId)
  if (worker) worker.unlinkedSinceMs ??= event.atMs
}

/** A worker left in order: whatever it still had is queued again, uncharged. */
export function leaveWorker(state: State, event: EventOf<'workerLeft'>, out: Out): void {
  removeWorker(state, event.workerId, event.atMs, out, (task) => requeue(state, task, event.atMs, out))
}

function removeWorker(state: State, workerId: WorkerId, atMs: number, out: Out, giveUp: (task: Task) => void): void {
  const worker = state.workers.get(workerId)
  if (worker === undefined) return
  state.workers.delete(workerId)
  for (const objectId of worker.objects) removeHolder(state, objectId, workerId, atMs, out)
  for (const task of worker.tasks) {
    if (task.status.kind !== 'settled') giveUp(task)
  }
}

function requeue(state: State, task: Task, atMs: number, out: Out): void {
  if (task.status.kind !== 'settled') awaitInputs(state, task, atMs, out)
}

/** Workers that were silent or cut off for too long are lost: what they ran is run again, what only they held computed again. */
export function expireWorkers(state: State, { atMs }: EventOf<'timePassed'>, out: Out): void {
  const { workerSilenceMs, relinkGraceMs } = state.policy
  for (const { profile, heardAtMs, unlinkedSinceMs } of [...state.workers.values()]) {
    const cut = unlinkedSinceMs !== undefined && atMs - unlinkedSinceMs > relinkGraceMs
    if (!cut && atMs - heardAtMs <= workerSilenceMs) continue
    const { workerId } = profile
    const why = `worker ${workerId} was lost (${cut ? 'its link broke' : 'it was silent for too long'})`
    out.effects.push({ kind: 'dismissWorker', workerId, reason: why })
    removeWorker(state, workerId, atMs, out, (task) => loseAttempt(state, task, atMs, out, why))
  }
}

/** Tasks began to run. */
export function startTasks(state: State, event: EventOf<'tasksStarted'>): void {
  const { workerId } = event
  for (const ref of event.attempts) {
    const task = state.jobs.get(ref.jobId)?.tasks[ref.index]
    if (task?.status.kind === 'assigned' && isCurrent(task, workerId, ref) && ref.epoch === state.epoch) {
      setStatus(task, { kind: 'running', workerId, attempt: ref.attempt, startedAtMs: ref.startedAtMs })
    }
  }
}

/** Tasks that a worker was sent and gives back, not started. */
export function returnTasks(state: State, event: EventOf<'tasksReturned'>, out: Out): void {
  for (const ref of event.attempts) {
    const task = taskOf(state, ref)
    if (!task || !isCurrent(task, event.workerId, ref) || ref.epoch !== state.epoch) continue
    state.workers.get(event.workerId)?.tasks.delete(task)
    requeue(state, task, event.atMs, out)
  }
}

function taskOf(state: State, { jobId, index }: AttemptRef): Task | undefined {
  return state.jobs.get(jobId)?.tasks[index]
}

/** Lets a worker finish what it runs and leave. */
export function drainWorker(state: State, event: EventOf<'drainRequested'>, out: Out): void {
  const { workerId, onlyIfIdle } = event
  const worker = state.workers.get(workerId)
  if (worker === undefined) {
    const message = `worker ${workerId} is unknown or gone`
    return answer(out, event, { refusal: { code: 'NOT_FOUND', reason: 'WORKER_NOT_FOUND', message } })
  }
  if (onlyIfIdle && (worker.tasks.size > 0 || worker.objects.size > 0)) {
    const message = `worker ${workerId} runs ${worker.tasks.size} tasks and holds ${worker.objects.size} objects`
    return answer(out, event, { refusal: { code: 'FAILED_PRECONDITION', reason: 'WORKER_BUSY', message } })
  }
  worker.draining = true
  out.effects.push({ kind: 'drainWorker', workerId, reason: 'asked to drain' })
  answer(out, event)
}

/** A client scattered buffers to a worker. */
export function storeObjects(state: State, event: EventOf<'objectsStored'>, out: Out): void {
  const { workerId, sessionId, requestId, atMs } = event
  for (const { objectId, descriptor, byteLength } of event.objects) {
    if (!state.objects.has(objectId)) {
      emit(state, out, { kind: 'objectStored', objectId, sessionId, descriptor, byteLength })
    }
    const entity = findObject(state, objectId)
    if (entity) addHolder(state, entity, workerId)
  }
  out.effects.push({ kind: 'acknowledgeStored', workerId, requestId })
  const worker = state.workers.get(workerId)
  if (worker) worker.heardAtMs = atMs
}

/** A worker gave objects up. */
export function dropObjects(state: State, event: EventOf<'objectsDropped'>, out: Out): void {
  for (const objectId of event.objectIds)
    removeHolder(state, objectId satisfies ObjectId, event.workerId, event.atMs, out)
}
