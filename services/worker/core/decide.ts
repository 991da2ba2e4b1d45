import type { Effect } from './effect.js'
import type { Event, EventOf } from './event.js'
import { finish, forget, giveBack, leaveWhenDone, refOf, takeOutOfLine } from './endings.js'
import { expectInputs, makeReady } from './following.js'
import { fillLines, freeDevices, learnRunTime, leaveLine, takeBackExecutions } from './lines.js'
import { loseParked, parkAttempt, resumeAttempts, wakeAttempt } from './parking.js'
import { type Attempt, type AttemptKey, isParked, keyOf, type State } from './state.js'

/** The whole worker: the same state and the same event always give the same effects, appended to `out`. */
export function decide(state: State, event: Event, out: Effect[]): void {
  switch (event.kind) {
    case 'linkOpened':
      return openLink(state, out)
    case 'linkClosed':
      state.linked = false
      return
    case 'tasksOrdered':
      return takeOrders(state, event, out)
    case 'inputsFetched':
      return readyAttempt(state, event, out)
    case 'inputsFailed':
      return failInputs(state, event, out)
    case 'attemptStarted':
      return startAttempt(state, event, out)
    case 'attemptEnded':
      return endAttempt(state, event, out)
    case 'checkpointSaved':
      return noteCheckpoint(state, event)
    case 'slotLost':
      return loseSlot(state, event, out)
    case 'slotStuck':
      return giveUp(state, event, out)
    case 'attemptAwaits':
      return parkAttempt(state, event, out)
    case 'attemptWoke':
      return wakeAttempt(state, event, out)
    case 'parkedLost':
      return loseParked(state, event, out)
    case 'resumeOrdered':
      return resumeAttempts(state, event, out)
    case 'cancelOrdered':
      return cancelAttempts(state, event, out)
    case 'recallOrdered':
      return recallAttempts(state, event.refs.map(keyOf), out)
    case 'attemptsPassedOver':
      return takeBackPassedOver(state, event, out)
    case 'attemptWithdrawn':
      return giveBackWithdrawn(state, event, out)
    case 'endsAcknowledged':
      for (const ref of event.refs) state.unacknowledged.delete(keyOf(ref))
      fillLines(state, out)
      return leaveWhenDone(state, out)
    case 'memoryPressed':
      return pressMemory(state, event, out)
    case 'drainOrdered':
      return drain(state, out)
    case 'noticeGiven':
      return giveNotice(state, event, out)
    default:
      return event satisfies never
  }
}

function openLink(state: State, out: Effect[]): void {
  state.linked = true
  // What was said between the hello and now was not heard.
  for (const { order, status, cancelled } of state.attempts.values()) {
    if (cancelled || status.kind !== 'awaiting') continue
    out.push({ kind: 'reportWait', ref: refOf(order), wait: status.wait, isOver: status.isOver })
  }
  for (const end of state.unacknowledged.values()) out.push({ kind: 'reportEnded', end, order: undefined })
}

function takeOrders(state: State, event: EventOf<'tasksOrdered'>, out: Effect[]): void {
  for (const order of event.orders) {
    const key = keyOf(order)
    const namesake = state.attempts.get(key)
    if (namesake?.cancelled) {
      // Of the same job before a task submitted it again: its thread may take a while to end.
      out.push({ kind: 'returnTask', ref: refOf(order), recalled: true })
      continue
    }
    if (namesake !== undefined || state.unacknowledged.has(key)) continue
    if (state.draining || state.paused) {
      out.push({ kind: 'returnTask', ref: refOf(order), recalled: !state.draining })
      continue
    }
    const attempt: Attempt = { order, status: { kind: 'fetching' }, cancelled: false }
    state.attempts.set(key, attempt)
    if (order.behind) expectInputs(state, key, attempt, order.behind)
    if (order.inputs.length > 0) out.push({ kind: 'fetchInputs', order })
    else makeReady(state, key, attempt, out)
  }
  fillLines(state, out)
}

function readyAttempt(state: State, { key }: EventOf<'inputsFetched'>, out: Effect[]): void {
  const attempt = state.attempts.get(key)
  if (attempt?.status.kind !== 'fetching') return
  makeReady(state, key, attempt, out)
  fillLines(state, out)
}

function failInputs(state: State, event: EventOf<'inputsFailed'>, out: Effect[]): void {
  const attempt = state.attempts.get(event.key)
  if (attempt?.status.kind !== 'fetching') return
  const { atMs, failure } = event
  finish(state, event.key, attempt, { kind: 'failed', failure }, { startedAtMs: atMs, endedAtMs: atMs, slot: 0 }, out)
  leaveWhenDone(state, out)
}

/** They have not begun: they go on when their inputs are there. */
function takeBackPassedOver(state: State, { keys }: EventOf<'attemptsPassedOver'>, out: Effect[]): void {
  for (const key of keys) {
    const attempt = state.attempts.get(key)
    if (attempt?.status.kind !== 'lined') continue
    leaveLine(state, key, attempt)
    if (attempt.cancelled) forget(state, key, attempt, out)
    else if (attempt.isRecalled) giveBack(state, key, attempt, out)
    else makeReady(state, key, attempt, out)
  }
  fillLines(state, out)
  leaveWhenDone(state, out)
}

function startAttempt(state: State, { key, startedAtMs }: EventOf<'attemptStarted'>, out: Effect[]): void {
  const attempt = state.attempts.get(key)
  if (attempt?.status.kind !== 'lined') return
  const { slot } = attempt.status
  attempt.status = { kind: 'running', slot, startedAtMs }
  if (!attempt.cancelled) out.push({ kind: 'reportStarted', ref: refOf(attempt.order), slot, startedAtMs })
}

function noteCheckpoint(state: State, { key }: EventOf<'checkpointSaved'>): void {
  const attempt = state.attempts.get(key)
  if (attempt) attempt.savedCheckpoint = true
}

function endAttempt(state: State, event: EventOf<'attemptEnded'>, out: Effect[]): void {
  const { key, outcome, startedAtMs, endedAtMs } = event
  const attempt = state.attempts.get(key)
  const slot = attempt && slotOf(attempt)
  if (attempt === undefined || slot === undefined) return
  // One that was stopped says nothing about how long its kind takes.
  if (!attempt.cancelled && !attempt.isNoticed) learnRunTime(state, attempt, endedAtMs - startedAtMs)
  if (attempt.isNoticed && !attempt.cancelled && outcome.kind === 'failed') {
    leaveLine(state, key, attempt)
    freeDevices(state, attempt)
    forget(state, key, attempt, out)
    out.push({ kind: 'returnTask', ref: refOf(attempt.order), recalled: false })
  } else finish(state, key, attempt, outcome, { startedAtMs, endedAtMs, slot }, out)
  fillLines(state, out)
  leaveWhenDone(state, out)
}

function loseSlot(state: State, { slot, failure, atMs }: EventOf<'slotLost'>, out: Effect[]): void {
  const line = state.lines[slot] ?? []
  state.lines[slot] = []
  state.openLines[slot] = undefined
  const again: AttemptKey[] = []
  takeBackExecutions(slot, out)
  for (const key of line) {
    const attempt = state.attempts.get(key)
    if (attempt === undefined) continue
    const { status } = attempt
    if (status.kind === 'running') {
      const times = { startedAtMs: status.startedAtMs, endedAtMs: atMs, slot }
      finish(state, key, attempt, { kind: 'failed', failure }, times, out)
    } else if (takeOutOfLine(state, key, attempt, out)) again.push(key)
  }
  state.ready.unshift(...again)
  fillLines(state, out)
  leaveWhenDone(state, out)
}

/**
 * Only the end of the process ends what is stuck. That attempt failed; whatever else is here goes elsewhere when the worker
 * says goodbye, and is charged to nobody.
 */
function giveUp(state: State, { slot, key, failure, atMs }: EventOf<'slotStuck'>, out: Effect[]): void {
  if (state.left) return
  const attempt = state.attempts.get(key)
  if (attempt) {
    const startedAtMs = attempt.status.kind === 'running' ? attempt.status.startedAtMs : atMs
    finish(state, key, attempt, { kind: 'failed', failure }, { startedAtMs, endedAtMs: atMs, slot }, out)
  }
  state.attempts.clear()
  state.followers.clear()
  state.ready.length = 0
  state.resuming.length = 0
  for (const line of state.lines) line.length = 0
  state.draining = true
  state.left = true
  out.push({ kind: 'giveUp', reason: `slot ${slot} is stuck in native code: ${failure.message}` })
}

function cancelAttempts(state: State, { refs, reason }: EventOf<'cancelOrdered'>, out: Effect[]): void {
  for (const ref of refs) {
    const key = keyOf(ref)
    state.unacknowledged.delete(key)
    const attempt = state.attempts.get(key)
    if (attempt === undefined || attempt.cancelled) continue
    attempt.cancelled = true
    const slot = slotOf(attempt)
    if (slot !== undefined) {
      // Its slot is free when the executor says so.
      if ('slot' in attempt.status) state.openLines[slot] = false
      out.push({ kind: 'stopExecution', slot, order: attempt.order, reason })
    } else forget(state, key, attempt, out)
  }
  leaveWhenDone(state, out)
}

/** What has not begun goes elsewhere while memory is nearly full; what has, may end and give some back. */
function pressMemory(state: State, { isPaused }: EventOf<'memoryPressed'>, out: Effect[]): void {
  state.paused = isPaused
  if (isPaused) recallAttempts(state, [...state.attempts.keys()], out)
  else fillLines(state, out)
}

/** Gives back what has not begun. What is in a line is given back when the executor has let go of it. */
function recallAttempts(state: State, keys: readonly AttemptKey[], out: Effect[]): void {
  for (const key of keys) {
    const attempt = state.attempts.get(key)
    if (attempt === undefined || attempt.cancelled) continue
    const { status, order } = attempt
    attempt.isRecalled = true
    if (status.kind === 'lined') out.push({ kind: 'withdrawExecution', slot: status.slot, order })
    else if (status.kind !== 'running' && !isParked(status)) giveBack(state, key, attempt, out)
  }
}

/** The slot that an attempt is in, or was in before it began to wait; nothing when the executor does not have it. */
function slotOf({ status }: Attempt): number | undefined {
  if (isParked(status)) return status.lastSlot
  return 'slot' in status ? status.slot : undefined
}

function giveBackWithdrawn(state: State, { key }: EventOf<'attemptWithdrawn'>, out: Effect[]): void {
  const attempt = state.attempts.get(key)
  if (attempt?.status.kind !== 'lined') return
  leaveLine(state, key, attempt)
  freeDevices(state, attempt)
  if (attempt.cancelled) forget(state, key, attempt, out)
  else if (attempt.isRecalled || state.draining) giveBack(state, key, attempt, out)
  else makeReady(state, key, attempt, out)
  fillLines(state, out)
  leaveWhenDone(state, out)
}

function drain(state: State, out: Effect[]): void {
  state.draining = true
  for (const [key, attempt] of state.attempts) {
    if (slotOf(attempt) !== undefined) continue
    forget(state, key, attempt, out)
    if (!attempt.cancelled) out.push({ kind: 'returnTask', ref: refOf(attempt.order), recalled: false })
  }
  leaveWhenDone(state, out)
}

/** What obeys by failing is given back, and charged to nobody; what comes to a result all the same has it reported. */
function giveNotice(state: State, { reason }: EventOf<'noticeGiven'>, out: Effect[]): void {
  for (const attempt of state.attempts.values()) {
    const slot = slotOf(attempt)
    if (slot === undefined || attempt.cancelled || attempt.isNoticed) continue
    attempt.isNoticed = true
    out.push({ kind: 'notifyExecution', slot, order: attempt.order, reason })
  }
}
