import type { WorkerId } from '#libs/domain'

import { answer, type Out } from './effect.js'
import type { EventOf } from './event.js'
import { takeBackFollowers } from './followers.js'
import { awaitInputs } from './inputs.js'
import { markRunning } from './joining.js'
import { loseWorker, removeWorker } from './losses.js'
import { findTask, isCurrent } from './settle.js'
import { updateRooms, vacateSlot } from './slots.js'
import type { State } from './state.js'

export function hearWorker(state: State, event: EventOf<'workerHeard'>): void {
  const worker = state.workers.get(event.workerId)
  if (worker === undefined) return
  const { isPaused } = worker.pulse
  worker.pulse = event.pulse
  worker.heardAtMs = event.atMs
  if (isPaused !== event.pulse.isPaused) updateRooms(state, worker)
}

/** A worker's link is cut. It may be a blip: it gets no tasks, and is lost when it does not come back. */
export function unlinkWorker(state: State, event: EventOf<'workerUnlinked'>): void {
  const worker = state.workers.get(event.workerId)
  if (worker) worker.unlinkedSinceMs ??= event.atMs
}

/** A worker left in order: whatever it still had is queued again, uncharged. */
export function leaveWorker(state: State, { workerId, atMs }: EventOf<'workerLeft'>, out: Out): void {
  const worker = state.workers.get(workerId)
  if (worker) removeWorker(state, worker, atMs, out, (task) => awaitInputs(state, task, atMs, out))
}

/** Workers that were silent or cut off for too long are lost. */
export function expireWorkers(state: State, { atMs }: EventOf<'timePassed'>, out: Out): void {
  const { workerSilenceMs, relinkGraceMs } = state.policy
  for (const worker of [...state.workers.values()]) {
    const { heardAtMs, unlinkedSinceMs } = worker
    const cut = unlinkedSinceMs !== undefined && atMs - unlinkedSinceMs > relinkGraceMs
    if (!cut && atMs - heardAtMs <= workerSilenceMs) continue
    loseWorker(state, worker, { kind: cut ? 'cut' : 'silent' }, atMs, out)
  }
}

/** Tasks began to run. */
export function startTasks(state: State, { workerId, attempts, atMs }: EventOf<'tasksStarted'>): void {
  markHeard(state, workerId, atMs)
  for (const ref of attempts) {
    const task = findTask(state, ref)
    if (task && isCurrent(task, workerId, ref)) markRunning(task, ref.startedAtMs)
  }
}

/** Tasks that a worker was sent and gives back, not started: it was asked to, or is about to leave and gets no more. */
export function returnTasks(state: State, event: EventOf<'tasksReturned'>, out: Out): void {
  const { workerId, attempts, atMs } = event
  const worker = state.workers.get(workerId)
  if (worker === undefined) return
  if (!event.recalled) worker.draining = true
  worker.heardAtMs = atMs
  for (const ref of attempts) {
    const task = findTask(state, ref)
    if (!task || !isCurrent(task, workerId, ref)) continue
    vacateSlot(state, task)
    awaitInputs(state, task, atMs, out)
    takeBackFollowers(state, task, atMs, out)
  }
}

function markHeard(state: State, workerId: WorkerId, atMs: number): void {
  const worker = state.workers.get(workerId)
  if (worker) worker.heardAtMs = atMs
}

/** Lets a worker finish what it runs, hand over what only it holds, and leave. */
export function drainWorker(state: State, event: EventOf<'drainRequested'>, out: Out): void {
  const { workerId, onlyIfIdle } = event
  const worker = state.workers.get(workerId)
  if (worker === undefined) {
    const message = `worker ${workerId} is unknown or gone`
    return answer(out, event, { refusal: { code: 'NOT_FOUND', reason: 'WORKER_NOT_FOUND', message } })
  }
  const taskCount = worker.tasks.size + worker.awaiting.size
  if (onlyIfIdle && taskCount > 0) {
    const message = `worker ${workerId} runs ${taskCount} tasks`
    return answer(out, event, { refusal: { code: 'FAILED_PRECONDITION', reason: 'WORKER_BUSY', message } })
  }
  worker.draining = true
  out.effects.push({ kind: 'drainWorker', workerId, reason: 'asked to drain' })
  answer(out, event)
}
