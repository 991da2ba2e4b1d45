import type { Effect } from './effect.js'
import type { Event, EventOf } from './event.js'
import { type Attempt, type AttemptKey, type EndOutcome, keyOf, kindOf, type State } from './state.js'

/** How much work of a short kind waits in a slot's line, so that the slot never waits for the next task. */
const lineMs = 20
const maxLine = 256
const newestWeight = 0.2
/** With this many ends that the scheduler has not recorded no more tasks are started: memory stays bounded. */
const maxUnacknowledged = 10_000

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
    const ready = order.inputs.length === 0
    state.attempts.set(key, { order, status: { kind: ready ? 'ready' : 'fetching' }, cancelled: false })
    if (ready) state.ready.push(key)
    else out.push({ kind: 'fetchInputs', order })
  }
  fillLines(state, out)
}

function readyAttempt(state: State, { key }: EventOf<'inputsFetched'>, out: Effect[]): void {
  const attempt = state.attempts.get(key)
  if (attempt?.status.kind !== 'fetching') return
  attempt.status = { kind: 'ready' }
  state.ready.push(key)
  fillLines(state, out)
}

function failInputs(state: State, event: EventOf<'inputsFailed'>, out: Effect[]): void {
  const attempt = state.attempts.get(event.key)
  if (attempt?.status.kind !== 'fetching') return
  const { atMs, failure } = event
  finish(state, event.key, attempt, { kind: 'failed', failure }, { startedAtMs: atMs, endedAtMs: atMs, slot: 0 }, out)
  leaveWhenDone(state, out)
}

/** Puts ready attempts into the shortest lines; they wait here, instead of behind what may take long. */
function fillLines(state: State, out: Effect[]): void {
  if (state.unacknowledged.size >= maxUnacknowledged) return
  while (state.ready.length > 0) {
    const key = state.ready[0] as AttemptKey
    const attempt = state.attempts.get(key)
    if (attempt?.status.kind !== 'ready') {
      state.ready.shift()
      continue
    }
    if ((attempt.order.gpus ?? 0) > state.freeDevices.length) {
      // It keeps nobody waiting who needs none.
      state.ready.shift()
      state.awaitingDevices.push(key)
      continue
    }
    const slot = shortestLine(state)
    const line = slot === undefined ? undefined : state.lines[slot]
    if (slot === undefined || line === undefined) return
    if (line.length >= 1 + lineLimit(state.meanRunMs.get(kindOf(attempt.order)))) return
    state.ready.shift()
    line.push(key)
    attempt.status = { kind: 'lined', slot }
    const devices = takeDevices(state, attempt)
    out.push({ kind: 'execute', slot, order: attempt.order, devices })
  }
}

const noDevices: readonly number[] = []

function takeDevices(state: State, attempt: Attempt): readonly number[] {
  const { gpus = 0 } = attempt.order
  if (gpus === 0) return noDevices
  return (attempt.devices = state.freeDevices.splice(0, gpus))
}

/** The attempt needs its devices no longer; those who wait for some may have their turn. */
function freeDevices(state: State, attempt: Attempt): void {
  if (attempt.devices === undefined) return
  state.freeDevices.push(...attempt.devices)
  state.freeDevices.sort((a, b) => a - b)
  delete attempt.devices
  state.ready.unshift(...state.awaitingDevices.splice(0))
}

/** The shortest of the lines that take more. */
function shortestLine(state: State): number | undefined {
  let best: number | undefined
  let least = Infinity
  for (const [slot, { length }] of state.lines.entries()) {
    if (length < least && takesMore(state, slot)) {
      best = slot
      least = length
    }
  }
  return best
}

/** Nothing waits behind what is long, unknown or being stopped: another slot may be free before it. */
function takesMore(state: State, slot: number): boolean {
  const line = state.lines[slot] ?? []
  if (line.length === 0) return true
  return (state.openLines[slot] ??= line.every((key) => {
    const attempt = state.attempts.get(key)
    return attempt !== undefined && !attempt.cancelled && isShort(state.meanRunMs.get(kindOf(attempt.order)))
  }))
}

function isShort(meanRunMs: number | undefined): boolean {
  return lineLimit(meanRunMs) > 0
}

function lineLimit(meanRunMs: number | undefined): number {
  if (meanRunMs === undefined || meanRunMs > lineMs) return 0
  return Math.min(maxLine, Math.floor(lineMs / Math.max(meanRunMs, 0.01)))
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
      state.attempts.delete(key)
      out.push({ kind: 'dropInputs', attempt })
    } else {
      freeDevices(state, attempt)
      attempt.status = { kind: 'ready' }
      again.push(key)
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
    } else {
      state.attempts.delete(key)
      out.push({ kind: 'dropInputs', attempt })
    }
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
  if (attempt.cancelled) {
    state.attempts.delete(key)
    out.push({ kind: 'dropInputs', attempt })
  } else giveBack(state, key, attempt, out)
  fillLines(state, out)
  leaveWhenDone(state, out)
}

function giveBack(state: State, key: AttemptKey, attempt: Attempt, out: Effect[]): void {
  state.attempts.delete(key)
  out.push({ kind: 'dropInputs', attempt })
  out.push({ kind: 'returnTask', ref: refOf(attempt.order), recalled: true })
}

function drain(state: State, out: Effect[]): void {
  state.draining = true
  for (const [key, attempt] of state.attempts) {
    if ('slot' in attempt.status) continue
    state.attempts.delete(key)
    out.push({ kind: 'dropInputs', attempt })
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
  if (attempt.cancelled && outcome.kind !== 'object') return
  const end = { ref: refOf(attempt.order), outcome, ...times }
  state.unacknowledged.set(key, end)
  out.push({ kind: 'reportEnded', end, order: attempt.order })
}

function leaveLine(state: State, key: AttemptKey, { status }: Attempt): void {
  if (!('slot' in status)) return
  const line = state.lines[status.slot]
  const at = line?.indexOf(key) ?? -1
  if (at >= 0) line?.splice(at, 1)
  // Only what closed the line can open it.
  if (!state.openLines[status.slot]) state.openLines[status.slot] = undefined
}

function learnRunTime(state: State, { order }: Attempt, runMs: number): void {
  const kind = kindOf(order)
  const known = state.meanRunMs.get(kind)
  const meanRunMs = known === undefined ? runMs : known + newestWeight * (runMs - known)
  state.meanRunMs.set(kind, meanRunMs)
  if (isShort(known) !== isShort(meanRunMs)) state.openLines.fill(undefined)
}

function refOf({ taskId, epoch, attempt }: Attempt['order']) {
  return { taskId, epoch, attempt }
}
