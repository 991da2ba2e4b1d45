import type { WorkerId } from '#libs/domain'

import { endChildren } from './children.js'
import { endFailedJobs } from './deadlines.js'
import { emit } from './emit.js'
import type { Out } from './effect.js'
import type { EventOf } from './event.js'
import { awaitInputs, needInput, recompute, wakeDelayed } from './inputs.js'
import { findObject, isAvailable, isLost, isWanted } from './lookup.js'
import { loseScattered } from './objects.js'
import { isBetweenAttempts } from './past.js'
import { recallQuarantines } from './quarantine.js'
import { expectSession } from './sessions.js'
import type { State, Task } from './state.js'
import { delayTask } from './status.js'

/**
 * Goes on after a replay. Which tasks run, and who holds what, was never remembered: workers say it when they come back.
 * Until all are back or had the time, whatever may run is taken for running, and nothing is taken for lost.
 */
export function startResync(state: State, atMs: number, out: Out): void {
  recallQuarantines(state, atMs)
  const untilMs = atMs + state.policy.resyncGraceMs
  state.resyncUntilMs = untilMs
  for (const workerId of state.attached.keys()) state.awaited.add(workerId)
  for (const { sessionId } of state.objects.values()) if (sessionId) expectSession(state, sessionId, atMs)
  for (const { sessionId, spec, tasks } of state.jobs.values()) {
    if (sessionId && !spec.detached) expectSession(state, sessionId, atMs)
    for (const task of tasks) {
      if (task.status.kind === 'settled') continue
      if (isBetweenAttempts(task, atMs)) awaitInputs(state, task, atMs, out)
      else if (!mayRun(state, task)) {
        awaitInputs(state, task, atMs, out)
        // It may have been sent ahead of its inputs.
        task.adoptable = task.status.kind === 'waiting'
      } else {
        task.adoptable = true
        delayTask(state, task, untilMs, 'resync')
      }
    }
  }
  if (state.awaited.size === 0) endResync(state, atMs, out)
  endFailedJobs(state, atMs, out)
  endChildren(state, atMs, out)
}

/** Whether the task may have been sent to a worker: its inputs were all there. It goes on needing them. */
function mayRun(state: State, task: Task): boolean {
  const inputs = task.spec.dependencies.map((objectId) => findObject(state, objectId))
  for (const input of inputs) {
    if (input === undefined || !(isAvailable(input) || isLost(input))) return false
  }
  for (const input of inputs) if (input) needInput(task, input)
  return true
}

/** A worker said what it has. When it was the last of those that are waited for, nobody else can have anything. */
export function welcomeBack(state: State, { profile, predecessor, atMs }: EventOf<'workerJoined'>, out: Out): void {
  if (state.resyncUntilMs === undefined) return
  state.awaited.delete(profile.workerId)
  if (predecessor) giveUp(state, predecessor.workerId, out)
  if (state.awaited.size === 0) endResync(state, atMs, out)
}

/** Whoever is not back by now does not come back. */
export function expireResync(state: State, atMs: number, out: Out): void {
  if (state.resyncUntilMs === undefined || atMs < state.resyncUntilMs) return
  for (const workerId of state.awaited) giveUp(state, workerId, out)
  endResync(state, atMs, out)
}

function giveUp(state: State, workerId: WorkerId, out: Out): void {
  if (state.awaited.delete(workerId)) emit(state, out, { kind: 'workerDetached', workerId })
}

/** What nobody holds now is lost, and what nobody runs is run again. */
function endResync(state: State, atMs: number, out: Out): void {
  state.resyncUntilMs = undefined
  for (const object of state.objects.values()) {
    if (isLost(object)) loseScattered(state, object, atMs, out)
  }
  for (const { tasks } of state.jobs.values()) {
    for (const task of tasks) {
      if (isLost(task) && isWanted(task)) recompute(state, task, atMs, out)
    }
  }
  wakeDelayed(state, atMs, out)
}
