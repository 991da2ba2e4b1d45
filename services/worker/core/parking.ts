import type { Effect } from './effect.js'
import type { EventOf } from './event.js'
import { finish, giveBack, leaveWhenDone, refOf, takeOutOfLine } from './endings.js'
import { fillLines, takeBackExecutions } from './lines.js'
import { type AttemptKey, isParked, keyOf, kindOf, type State } from './state.js'

/**
 * An attempt waits for tasks that it submitted: it leaves its slot to others, which may be the very tasks that it waits for.
 * What waited behind it has not begun, and goes into a line again; what takes its result waits until that is made.
 */
export function parkAttempt(state: State, { key, wait, atMs }: EventOf<'attemptAwaits'>, out: Effect[]): void {
  const attempt = state.attempts.get(key)
  if (attempt === undefined || !('slot' in attempt.status)) return
  const { order, status, cancelled } = attempt
  const { slot } = status
  const startedAtMs = status.kind === 'running' ? status.startedAtMs : atMs
  takeBackLine(state, slot, key, out)
  giveBackKind(state, kindOf(order), out)
  if (countParked(state) >= state.maxParked) {
    attempt.status = { kind: 'running', slot, startedAtMs }
    out.push({ kind: 'refuseWait', slot, order, wait, message: tooManyParked(state) })
  } else {
    state.lines[slot] = []
    attempt.status = { kind: 'awaiting', startedAtMs, lastSlot: slot, wait, isOver: false }
    out.push({ kind: 'parkExecution', slot, order })
    if (!cancelled) out.push({ kind: 'reportWait', ref: refOf(order), wait, isOver: false })
  }
  state.openLines[slot] = undefined
  fillLines(state, out)
}

/** The attempt has what it waited for. The scheduler says when it has a slot again. */
export function wakeAttempt(state: State, { key, wait }: EventOf<'attemptWoke'>, out: Effect[]): void {
  const attempt = state.attempts.get(key)
  if (attempt?.status.kind !== 'awaiting' || attempt.status.wait !== wait || attempt.status.isOver) return
  attempt.status = { ...attempt.status, isOver: true }
  if (!attempt.cancelled) out.push({ kind: 'reportWait', ref: refOf(attempt.order), wait, isOver: true })
}

export function resumeAttempts(state: State, { refs }: EventOf<'resumeOrdered'>, out: Effect[]): void {
  for (const { wait, ...ref } of refs) {
    const key = keyOf(ref)
    const attempt = state.attempts.get(key)
    if (attempt?.status.kind !== 'awaiting' || attempt.status.wait !== wait || !attempt.status.isOver) continue
    attempt.status = { ...attempt.status, kind: 'resuming' }
    state.resuming.push(key)
  }
  fillLines(state, out)
}

export function loseParked(state: State, { key, failure, atMs }: EventOf<'parkedLost'>, out: Effect[]): void {
  const attempt = state.attempts.get(key)
  if (attempt === undefined) return
  const { status } = attempt
  // It may have been given a slot in the same moment.
  if (!isParked(status) && status.kind !== 'running') return
  const slot = isParked(status) ? status.lastSlot : status.slot
  const times = { startedAtMs: status.startedAtMs, endedAtMs: atMs, slot }
  finish(state, key, attempt, { kind: 'failed', failure }, times, out)
  fillLines(state, out)
  leaveWhenDone(state, out)
}

function takeBackLine(state: State, slot: number, keep: AttemptKey, out: Effect[]): void {
  takeBackExecutions(slot, out)
  const again: AttemptKey[] = []
  for (const key of state.lines[slot] ?? []) {
    const attempt = state.attempts.get(key)
    if (attempt === undefined || key === keep) continue
    if (takeOutOfLine(state, key, attempt, out)) again.push(key)
  }
  state.lines[slot] = [keep]
  state.ready.unshift(...again)
}

/**
 * What has not begun would begin to wait as well, before the tasks that are waited for come here: the scheduler sends the deepest
 * first. What others were sent ahead of stays with them.
 */
function giveBackKind(state: State, kind: string, out: Effect[]): void {
  for (const key of state.ready.splice(0)) {
    const attempt = state.attempts.get(key)
    const isBack = attempt?.status.kind === 'ready' && kindOf(attempt.order) === kind && !state.followers.has(key)
    if (isBack) giveBack(state, key, attempt, out)
    else state.ready.push(key)
  }
}

function countParked({ attempts }: State): number {
  let count = 0
  for (const { status } of attempts.values()) if (isParked(status)) count++
  return count
}

function tooManyParked({ maxParked }: State): string {
  return (
    `${maxParked} tasks wait on this worker for tasks that they submitted, and each keeps a thread or process: ` +
    'let a task submit more at once instead of a deeper recursion, start more workers, or raise their --max-waiting'
  )
}
