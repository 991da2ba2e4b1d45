import type { TaskFailure } from '#libs/domain'

import { emit } from './emit.js'
import type { Out } from './effect.js'
import { findObject, isAvailable, isLost, isScattered, objectIdOf, type ObjectEntity } from './lookup.js'
import { failedInput, failTask } from './outcome.js'
import { takeTurn } from './slots.js'
import type { Placement, ScatteredObject, State, Task, TaskStatus } from './state.js'
import { delayTask, makeReady, setStatus } from './status.js'

type DelayedStatus = Extract<TaskStatus, { kind: 'delayed' }>

/**
 * Makes a task wait for the inputs that are not there, or queues it. Lost results among them are computed again; a task
 * whose input failed or cannot be had again fails.
 */
// A loop over a list rather than recursion: a chain of lost results may be long.
export function awaitInputs(state: State, task: Task, atMs: number, out: Out): void {
  const open = [task]
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    // It may have failed meanwhile with an input that it shares with another one.
    if (next.status.kind !== 'settled') awaitOwnInputs(state, next, open, atMs, out)
  }
}

function awaitOwnInputs(state: State, task: Task, reopened: Task[], atMs: number, out: Out): void {
  if (task.spec.dependencies.length === 0) return makeReady(state, task, atMs)
  const inputs: ObjectEntity[] = []
  for (const objectId of new Set(task.spec.dependencies)) {
    const input = findObject(state, objectId)
    if (input === undefined) return failTask(state, task, forgottenInput(objectId), atMs, out)
    const failure = failureOfInput(state, input)
    if (failure) return failTask(state, task, failure, atMs, out)
    inputs.push(input)
  }
  let missing = 0
  let expectedAtMs: number | undefined
  for (const input of inputs) {
    needInput(task, input)
    if (isAvailable(input)) continue
    missing++
    if (!isLost(input)) continue
    // Right after a restart nobody knows yet who holds what.
    if (state.resyncUntilMs !== undefined) expectedAtMs = state.resyncUntilMs
    else if (!isScattered(input)) {
      reopenTask(state, input, out)
      reopened.push(input)
    }
  }
  if (expectedAtMs !== undefined) delayTask(state, task, expectedAtMs, 'resync')
  else if (missing > 0) setStatus(task, { kind: 'waiting', missing })
  else makeReady(state, task, atMs)
}

/** The input is kept for the task until the task is settled. */
export function needInput(task: Task, input: ObjectEntity): void {
  ;(input.dependents ??= new Set()).add(task)
}

function failureOfInput(state: State, input: ObjectEntity): TaskFailure | undefined {
  if (isScattered(input)) {
    return isLost(input) && state.resyncUntilMs === undefined ? lostBuffer(input) : undefined
  }
  const { status } = input
  return status.kind === 'settled' && status.outcome.kind === 'failed' ? failedInput(input) : undefined
}

function forgottenInput(objectId: string): TaskFailure {
  const message = `its input ${objectId} is forgotten and cannot be computed again: submit what makes it again`
  return { kind: 'input', reason: 'INPUT_LOST', message }
}

/** How a task fails that needs a scattered buffer which nobody holds any more. */
export function lostBuffer({ objectId }: ScatteredObject): TaskFailure {
  const message = `the scattered buffer ${objectId} is lost with the last worker that held it: scatter it again`
  return { kind: 'input', reason: 'INPUT_LOST', message }
}

/** The input can be had from now on: those who waited for it go on. */
export function supplyInput(state: State, input: ObjectEntity, atMs: number, out: Out): void {
  for (const dependent of input.dependents ?? []) {
    const { status } = dependent
    if (status.kind === 'waiting') {
      status.missing--
      if (status.missing === 0) makeReady(state, dependent, atMs)
    } else if (status.kind === 'assigned' || status.kind === 'running') {
      if (status.behind.length > 0) leaveBehind(state, status, input)
    } else if (status.kind === 'delayed' && status.why !== 'retry' && !dependent.adoptable) {
      // It was delayed because an input could not be had: now one can. Should it be another one that is missing, this early
      // attempt must not use up those that last until a silent holder is lost.
      if (dependent.fetchFailures > 0) dependent.fetchFailures--
      awaitInputs(state, dependent, atMs, out)
    }
  }
}

/** One of the inputs is made that the task was sent ahead of. */
function leaveBehind(state: State, placement: Placement, made: ObjectEntity): void {
  placement.behind = placement.behind.filter((input) => input !== made)
  if (placement.behind.length === 0) takeTurn(state, placement)
}

/** Computes a lost result again, after those of its inputs that are lost with it. */
export function recompute(state: State, task: Task, atMs: number, out: Out): void {
  reopenTask(state, task, out)
  if (task.job.cancelled && !task.dependents?.size) {
    const message = `the result of ${objectIdOf(task)} is lost, and is not computed again because its job was cancelled`
    return failTask(state, task, { kind: 'cancelled', reason: 'CANCELLED', message }, atMs, out)
  }
  awaitInputs(state, task, atMs, out)
}

function reopenTask(state: State, task: Task, out: Out): void {
  const { job } = task
  const { jobId } = job.spec
  const objectId = objectIdOf(task)
  const wasSettled = job.settledAtMs !== undefined
  emit(state, out, { kind: 'taskReopened', jobId, index: task.index })
  const message = `the result of ${objectId} is lost with the last worker that held it, and is computed again`
  const failure: TaskFailure = { kind: 'workerLost', reason: 'RESULT_LOST', message }
  out.effects.push({ kind: 'notifyLost', objectId, failure, to: job.followers })
  if (wasSettled) out.effects.push({ kind: 'notifyJob', jobId, to: job.followers })
  for (const dependent of task.dependents ?? []) {
    if (dependent.status.kind === 'waiting') dependent.status.missing++
    else if (dependent.status.kind === 'queued') setStatus(dependent, { kind: 'waiting', missing: 1 })
  }
}

/** Workers come back sooner after a restart than they had time for, or later when the scheduler itself stood still. */
function isKeptBack({ untilMs, why }: DelayedStatus, resyncs: boolean, atMs: number): boolean {
  return why === 'resync' ? resyncs : untilMs > atMs
}

/** Tasks that were kept back until now. */
export function wakeDelayed(state: State, atMs: number, out: Out): void {
  const resyncs = state.resyncUntilMs !== undefined
  for (const task of state.delayed) {
    const { status } = task
    const delayed = status.kind === 'delayed'
    if (delayed && ((resyncs && task.adoptable) || isKeptBack(status, resyncs, atMs))) continue
    state.delayed.delete(task)
    if (!delayed) continue
    task.adoptable = false
    awaitInputs(state, task, atMs, out)
  }
}
