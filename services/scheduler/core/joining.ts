import type { ObjectId } from '#libs/domain'

import { archiveOutputsOf, releaseUnwanted } from './archives.js'
import { restoreWait, resume } from './awaiting.js'
import { emit } from './emit.js'
import type { Out } from './effect.js'
import type { AttemptRef, EventOf } from './event.js'
import { takeBackFollowers } from './followers.js'
import { awaitInputs, supplyInput } from './inputs.js'
import { addHolder, attemptOf, findObject, isAvailable, isScattered, isWanted } from './lookup.js'
import { learnEnd, loseWorker } from './losses.js'
import { isSame, recordStored, removeHolder } from './objects.js'
import { obeyHost, recallConfinement } from './quarantine.js'
import { findTask, isAdoptable, isCurrent } from './settle.js'
import { welcomeBack } from './resync.js'
import { expectedMsOf, isOnWorker, occupySlot, updateRooms, vacateSlot } from './slots.js'
import { unheardPulse } from './pulse.js'
import type { State, Task, Worker } from './state.js'
import { setStatus } from './status.js'

/**
 * A worker joins, or comes back after a cut, with what it still has: attempts that run, wait or ended without an
 * acknowledgement, and objects. It may take the place of another one, which is lost then.
 */
export function joinWorker(state: State, event: EventOf<'workerJoined'>, out: Out): void {
  const { profile, atMs } = event
  const { workerId } = profile
  const worker = state.workers.get(workerId) ?? addWorker(state, event, out)
  // With every further hello it is said again.
  const predecessor = event.predecessor && state.workers.get(event.predecessor.workerId)
  if (event.predecessor && predecessor && predecessor !== worker) {
    loseWorker(state, predecessor, { kind: 'ended', end: event.predecessor }, atMs, out)
  } else if (event.predecessor && !predecessor) learnEnd(state, event.predecessor)
  worker.profile = profile
  worker.unlinkedSinceMs = undefined
  worker.heardAtMs = atMs
  const claimed = claimAttempts(state, worker, event, out)
  for (const task of [...worker.tasks, ...worker.awaiting]) {
    const { status } = task
    if (claimed.has(task) || !isOnWorker(status)) continue
    // The command was lost in the cut, or is under way on the new link. Run again it is no loss, and nobody is charged.
    out.effects.push({ kind: 'cancelAttempt', workerId, attempt: attemptOf(task, status), reason: 'it is sent again' })
    vacateSlot(state, task)
    awaitInputs(state, task, atMs, out)
    takeBackFollowers(state, task, atMs, out)
  }
  updateRooms(state, worker)
  adoptObjects(state, worker, event, out)
  welcomeBack(state, event, out)
  if (worker.draining) out.effects.push({ kind: 'drainWorker', workerId, reason: 'asked to drain' })
}

function addWorker(state: State, { profile, atMs }: EventOf<'workerJoined'>, out: Out): Worker {
  const worker: Worker = {
    profile,
    tasks: new Set(),
    longTasks: 0,
    shortMs: 0,
    followers: 0,
    followersMs: 0,
    tails: new Set(),
    extraSlots: 0,
    used: new Map(),
    keptFor: undefined,
    recalled: new Set(),
    awaiting: new Set(),
    woken: new Set(),
    suspects: 0,
    reserved: false,
    objects: new Set(),
    draining: false,
    quarantine: undefined,
    standing: undefined,
    unlinkedSinceMs: undefined,
    pulse: unheardPulse,
    heardAtMs: atMs,
  }
  state.workers.set(profile.workerId, worker)
  if (state.attached.has(profile.workerId)) recallConfinement(state, worker, atMs)
  else emit(state, out, { kind: 'workerAttached', workerId: profile.workerId })
  obeyHost(state, worker)
  return worker
}

/** Finds what of the worker's attempts still counts; the others are stopped. */
function claimAttempts(state: State, worker: Worker, event: EventOf<'workerJoined'>, out: Out): Set<Task> {
  const { workerId } = worker.profile
  const claimed = new Set<Task>()
  // What made an input is listed before what waits for it.
  for (const { running, behind, wait = 0, isOver = false, ...ref } of event.attempts) {
    const task = findTask(state, ref)
    if (task && isAdoptable(state, task, ref) && behind.every((input) => isKnownAs(state, input, worker))) {
      adoptAttempt(state, task, worker, { ref, behind }, event.atMs)
    }
    if (task && isCurrent(task, workerId, ref)) {
      claimed.add(task)
      if (wait > 0) restoreWait(state, task, worker, { wait, isOver }, event.atMs, out)
      else if (running) restoreRun(state, task, worker, event.atMs)
    } else {
      out.effects.push({ kind: 'cancelAttempt', workerId, attempt: ref, reason: 'another attempt took its place' })
    }
  }
  return claimed
}

/** Whether the input that a worker made, or is about to make, is the one that is known: another attempt may have made another. */
function isKnownAs(state: State, ref: AttemptRef, { profile }: Worker): boolean {
  const input = findTask(state, ref)
  if (input === undefined) return false
  // While it waits for tasks that it submitted, nothing is behind it.
  if (isCurrent(input, profile.workerId, ref)) return input.status.kind !== 'awaiting'
  const { status } = input
  return (
    status.kind === 'settled' && status.record.attempt === ref.attempt && status.record.workerId === profile.workerId
  )
}

function adoptAttempt(
  state: State,
  task: Task,
  worker: Worker,
  { ref, behind }: { readonly ref: AttemptRef; readonly behind: readonly AttemptRef[] },
  atMs: number,
): void {
  const { epoch, attempt } = ref
  const expectedMs = expectedMsOf(state, task)
  task.adoptable = false
  task.attempt = Math.max(task.attempt, attempt)
  const { workerId } = worker.profile
  const missing = behind.flatMap((input) => findTask(state, input) ?? []).filter((input) => !isAvailable(input))
  const status = { kind: 'assigned' as const, workerId, epoch, attempt, expectedMs, behind: missing, sinceMs: atMs }
  setStatus(task, status)
  occupySlot(state, worker, task, status)
}

/** The attempt runs, whatever was thought of it. */
function restoreRun(state: State, task: Task, worker: Worker, atMs: number): void {
  const { status } = task
  if (status.kind === 'awaiting') resume(state, task, worker, status)
  else markRunning(task, atMs)
}

/** The task began to run; what it needed was there. */
export function markRunning(task: Task, startedAtMs: number): void {
  const { status } = task
  if (status.kind !== 'assigned') return
  const { workerId, epoch, attempt, expectedMs, behind } = status
  task.fetchFailures = 0
  setStatus(task, { kind: 'running', workerId, epoch, attempt, expectedMs, behind, startedAtMs })
}

/** Takes note of what the worker holds, and of what it holds no longer. */
function adoptObjects(state: State, worker: Worker, event: EventOf<'workerJoined'>, out: Out): void {
  const { workerId } = worker.profile
  const here = new Set<ObjectId>()
  for (const report of event.stored) {
    for (const objectId of recordStored(state, workerId, report, event.atMs, out)) here.add(objectId)
  }
  for (const held of event.objects) {
    const { objectId } = held
    const entity = findObject(state, objectId)
    // The end of the attempt that made it is still to come.
    if (entity && !isScattered(entity) && worker.tasks.has(entity)) continue
    if (entity === undefined || !isWanted(entity) || !isSame(entity, held)) {
      out.effects.push({ kind: 'releaseObject', workerId, objectId })
      continue
    }
    here.add(objectId)
    const wasThere = isAvailable(entity)
    addHolder(state, entity, workerId)
    if (!wasThere) supplyInput(state, entity, event.atMs, out)
  }
  for (const objectId of [...worker.objects]) {
    if (!here.has(objectId)) removeHolder(state, objectId, workerId, event.atMs, out)
  }
  archiveOutputsOf(state, worker, out)
  releaseUnwanted(state, worker, out)
}
