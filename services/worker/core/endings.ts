import type { Effect } from './effect.js'
import { feedFollowers } from './following.js'
import { freeDevices, leaveLine } from './lines.js'
import type { Attempt, AttemptKey, EndOutcome, State } from './state.js'

/** The attempt ended; who follows it goes on when it made something. */
export function finish(
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
  const { order, savedCheckpoint } = attempt
  const { behind } = order
  const end = {
    ...{ ref: refOf(order), outcome, ...times },
    ...(savedCheckpoint && { savedCheckpoint }),
    ...(behind && { behind }),
  }
  state.unacknowledged.set(key, end)
  // Before what follows can end, so that the end of an input is always said before that of a task which took it.
  out.push({ kind: 'reportEnded', end, order: attempt.order })
  feedFollowers(state, key, attempt.order, attempt.cancelled ? undefined : outcome, out)
}

/** Nothing of the attempt is left here. */
export function forget(state: State, key: AttemptKey, attempt: Attempt, out: Effect[]): void {
  state.attempts.delete(key)
  out.push({ kind: 'dropInputs', attempt })
  feedFollowers(state, key, attempt.order, undefined, out)
}

/** The scheduler wanted it elsewhere, and it has not begun. */
export function giveBack(state: State, key: AttemptKey, attempt: Attempt, out: Effect[]): void {
  forget(state, key, attempt, out)
  out.push({ kind: 'returnTask', ref: refOf(attempt.order), recalled: true })
}

/** What has not begun is in its slot's line no more. Returns whether it goes into another one as soon as there is room. */
export function takeOutOfLine(state: State, key: AttemptKey, attempt: Attempt, out: Effect[]): boolean {
  freeDevices(state, attempt)
  if (attempt.cancelled) forget(state, key, attempt, out)
  // The executor may have let go of it by now: its word for that comes too late to keep it out of another line.
  else if (attempt.isRecalled || attempt.isMoving) giveBack(state, key, attempt, out)
  else {
    attempt.status = attempt.missing?.length ? { kind: 'following' } : { kind: 'ready' }
    return attempt.status.kind === 'ready'
  }
  return false
}

/** A worker that drains leaves when nothing is left to do or to say. */
export function leaveWhenDone(state: State, out: Effect[]): void {
  if (!state.draining || state.left || state.attempts.size > 0 || state.unacknowledged.size > 0) return
  state.left = true
  out.push({ kind: 'leave' })
}

export function refOf({ taskId, epoch, attempt }: Attempt['order']) {
  return { taskId, epoch, attempt }
}
