import type { Effect } from './effect.js'
import type { Event, EventOf } from './event.js'
import { expectInputs, feedFollowers, makeReady } from './following.js'
import { fillLines, freeDevices, learnRunTime, leaveLine } from './lines.js'
import { type Attempt, type AttemptKey, type EndOutcome, keyOf, type State } from './state.js'

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
    case 'slotLost':
      return loseSlot(state, event, out)
    case 'slotStuck':
      return giveUp(state, event, out)
    case 'cancelOrdered':
      return cancelAttempts(state, event, out)
    case 'recallOrdered':
      return recallAttempts(state, event, out)
    case 'attemptsPassedOver':
      return takeBackPassedOver(state, event, out)
    case 'attemptWithdrawn':
      return giveBackWithdrawn(state, event, out)
    case 'endsAcknowledged':
      for (const ref of event.refs) state.unacknowledged.delete(keyOf(ref))
      fillLines(state, out)
      return leaveWhenDone(state, out)
    case 'drainOrdered':
      return drain(state, out)
    default:
      return event satisfies never
  }
}

function openLink(state: State, out: Effect[]): void {
  state.linked = true
  for (const end of state.unacknowledged.values()) out.push({ kind: 'reportEnded', end, order: undefined })
}

function takeOrders(state: State, event: EventOf<'tasksOrdered'>, out: Effect[]): void {
  for (const order of event.orders) {
    const key = keyOf(order)
    if (state.attempts.has(key) || state.unacknowledged.has(key)) continue
    if (state.draining) {
      out.push({ kind: 'returnTask', ref: refOf(order), recalled: false })
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
    else makeReady(state, key, attempt, out)
  }
  fillLines(state, out)
  leaveWhenDone(state, out)
}

/** Nothing of the attempt is left here. */
function forget(state: State, key: AttemptKey, attempt: Attempt, out: Effect[]): void {
  state.attempts.delete(key)
  out.push({ kind: 'dropInputs', attempt })
  feedFollowers(state, key, attempt.order, undefined, out)
}

function startAttempt(state: State, { key, startedAtMs }: EventOf<'attemptStarted'>, out: Effect[]): void {
  const attempt = state.attempts.get(key)
  if (attempt?.status.kind !== 'lined') return
  const { slot } = attempt.status
  attempt.status = { kind: 'running', slot, startedAtMs }
  if (!attempt.cancelled) out.push({ kind: 'reportStarted', ref: refOf(attempt.order), slot, startedAtMs })
}

function endAttempt(state: State, event: EventOf<'attemptEnded'>, out: Effect[]): void {
  const { key, outcome, startedAtMs, endedAtMs } = event
  const attempt = state.attempts.get(key)
  if (attempt === undefined || !('slot' in attempt.status)) return
  // One that was stopped says nothing about how long its kind takes.
  if (!attempt.cancelled) learnRunTime(state, attempt, endedAtMs - startedAtMs)
  finish(state, key, attempt, outcome, { startedAtMs, endedAtMs, slot: attempt.status.slot }, out)
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
    } else if (attempt.cancelled) {
      freeDevices(state, attempt)
      forget(state, key, attempt, out)
    } else {
      freeDevices(state, attempt)
      attempt.status = attempt.missing?.length ? { kind: 'following' } : { kind: 'ready' }
      if (attempt.status.kind === 'ready') again.push(key)
    }
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
  for (const line of state.lines) line.length = 0
  state.draining = true
  state.left = true
  out.push({ kind: 'giveUp', reason: `slot ${slot} is stuck in native code: ${failure.message}` })
}

/** What the same batch of events put into the slot would run in the next thread, and then once more: it goes into a line again. */
function takeBackExecutions(slot: number, out: Effect[]): void {
  const kept = out.filter((effect) => effect.kind !== 'execute' || effect.slot !== slot)
  out.splice(0, out.length, ...kept)
}

function cancelAttempts(state: State, { refs, reason }: EventOf<'cancelOrdered'>, out: Effect[]): void {
  for (const ref of refs) {
    const key = keyOf(ref)
    state.unacknowledged.delete(key)
    const attempt = state.attempts.get(key)
    if (attempt === undefined || attempt.cancelled) continue
    attempt.cancelled = true
    if ('slot' in attempt.status) {
      // Its slot is free when the executor says so.
      state.openLines[attempt.status.slot] = false
      out.push({ kind: 'stopExecution', slot: attempt.status.slot, order: attempt.order, reason })
    } else forget(state, key, attempt, out)
  }
  leaveWhenDone(state, out)
}

/** Gives back what has not begun. What is in a line is given back when the executor has let go of it. */
function recallAttempts(state: State, { refs }: EventOf<'recallOrdered'>, out: Effect[]): void {
  for (const ref of refs) {
    const key = keyOf(ref)
    const attempt = state.attempts.get(key)
    if (attempt === undefined || attempt.cancelled) continue
    const { status, order } = attempt
    if (status.kind === 'lined') out.push({ kind: 'withdrawExecution', slot: status.slot, order })
    else if (status.kind !== 'running') giveBack(state, key, attempt, out)
  }
}

function giveBackWithdrawn(state: State, { key }: EventOf<'attemptWithdrawn'>, out: Effect[]): void {
  const attempt = state.attempts.get(key)
  if (attempt?.status.kind !== 'lined') return
  leaveLine(state, key, attempt)
  freeDevices(state, attempt)
  if (attempt.cancelled) forget(state, key, attempt, out)
  else giveBack(state, key, attempt, out)
  fillLines(state, out)
  leaveWhenDone(state, out)
}

function giveBack(state: State, key: AttemptKey, attempt: Attempt, out: Effect[]): void {
  forget(state, key, attempt, out)
  out.push({ kind: 'returnTask', ref: refOf(attempt.order), recalled: true })
}

function drain(state: State, out: Effect[]): void {
  state.draining = true
  for (const [key, attempt] of state.attempts) {
    if ('slot' in attempt.status) continue
    forget(state, key, attempt, out)
    if (!attempt.cancelled) out.push({ kind: 'returnTask', ref: refOf(attempt.order), recalled: false })
  }
  leaveWhenDone(state, out)
}

function leaveWhenDone(state: State, out: Effect[]): void {
  if (!state.draining || state.left || state.attempts.size > 0 || state.unacknowledged.size > 0) return
  state.left = true
  out.push({ kind: 'leave' })
}

function finish(
  state: State,
  key: AttemptKey,
  attempt: Attempt,
  outcome: EndOutcome,
  times: { startedAtMs: number; endedAtMs: number; slot: number },
  out: Effect[],
): void {
  state.attempts.delete(key)
  leaveLine(state, key, attempt)
  freeDevices(state, attempt)
  out.push({ kind: 'dropInputs', attempt })
  // A large result that came in spite of a cancel is said all the same: only the scheduler knows whether it may be forgotten.
  if (attempt.cancelled && outcome.kind !== 'object') return feedFollowers(state, key, attempt.order, undefined, out)
  const { behind } = attempt.order
  const end = { ref: refOf(attempt.order), outcome, ...times, ...(behind && { behind }) }
  state.unacknowledged.set(key, end)
  // Before what follows can end, so that the end of an input is always said before that of a task which took it.
  out.push({ kind: 'reportEnded', end, order: attempt.order })
  feedFollowers(state, key, attempt.order, attempt.cancelled ? undefined : outcome, out)
}

function refOf({ taskId, epoch, attempt }: Attempt['order']) {
  return { taskId, epoch, attempt }
}
