import { endFailedJobs } from './deadlines.js'
import type { Out } from './effect.js'
import type { EventOf } from './event.js'
import { awaitInputs, needInput, recompute } from './inputs.js'
import { findObject, isAvailable, isLost, isWanted } from './lookup.js'
import { loseScattered } from './objects.js'
import { isBetweenAttempts } from './past.js'
import { expectSession } from './sessions.js'
import type { State, Task } from './state.js'
import { delayTask } from './status.js'

/**
 * Goes on after a replay. Which tasks run, and who holds what, was never remembered: workers say it when they come back.
 * Until they had the time, whatever may run is taken for running, and nothing is taken for lost.
 */
export function startResync(state: State, atMs: number, out: Out): void {
  if (state.jobs.size + state.objects.size === 0) return
  const untilMs = atMs + state.policy.resyncGraceMs
  state.resyncUntilMs = untilMs
  for (const { sessionId } of state.objects.values()) if (sessionId) expectSession(state, sessionId, atMs)
  for (const { sessionId, spec, tasks } of state.jobs.values()) {
    if (sessionId && !spec.detached) expectSession(state, sessionId, atMs)
    for (const task of tasks) {
      if (task.status.kind === 'settled') continue
      if (isBetweenAttempts(task, atMs) || !mayRun(state, task)) awaitInputs(state, task, atMs, out)
      else {
        task.adoptable = true
        delayTask(state, task, untilMs, 'resync')
      }
    }
  }
  endFailedJobs(state, atMs, out)
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

/** The workers had the time to come back: what nobody holds now is lost. */
export function endResync(state: State, { atMs }: EventOf<'timePassed'>, out: Out): void {
  if (state.resyncUntilMs === undefined || atMs < state.resyncUntilMs) return
  state.resyncUntilMs = undefined
  for (const object of state.objects.values()) {
    if (isLost(object)) loseScattered(state, object, atMs, out)
  }
  for (const { tasks } of state.jobs.values()) {
    for (const task of tasks) {
      if (isLost(task) && isWanted(task)) recompute(state, task, atMs, out)
    }
  }
}
