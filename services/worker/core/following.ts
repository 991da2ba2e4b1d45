import type { Effect } from './effect.js'
import { lineToFollowIn, putIntoLine } from './lines.js'
import { type Attempt, type AttemptKey, type AttemptRef, type EndOutcome, keyOf, type State } from './state.js'

/** What had to be fetched is here. */
export function makeReady(state: State, key: AttemptKey, attempt: Attempt, out: Effect[]): void {
  attempt.isMoving = false
  if (attempt.missing?.length) {
    attempt.status = { kind: 'following' }
    follow(state, key, attempt, out)
    return
  }
  attempt.status = { kind: 'ready' }
  state.ready.push(key)
}

/** Notes which attempts make inputs of this one. Of one that is over and made nothing the scheduler hears, and takes this one back. */
export function expectInputs(state: State, key: AttemptKey, attempt: Attempt, behind: readonly AttemptRef[]): void {
  attempt.missing = behind
  for (const ref of behind) {
    const input = keyOf(ref)
    const end = state.unacknowledged.get(input)
    if (end) takeMade(attempt, end.ref, end.outcome)
    else if (state.attempts.has(input)) {
      const followers = state.followers.get(input)
      if (followers) followers.push(key)
      else state.followers.set(input, [key])
    }
  }
}

function takeMade(attempt: Attempt, { taskId }: AttemptRef, outcome: EndOutcome): void {
  if (outcome.kind === 'failed') return
  attempt.missing = attempt.missing?.filter((ref) => ref.taskId !== taskId) ?? []
  attempt.made = [...(attempt.made ?? []), { taskId, outcome }]
}

/** Goes on with an attempt that was sent ahead: into the line in which its last inputs are made, or as soon as they are. */
function follow(state: State, key: AttemptKey, attempt: Attempt, out: Effect[]): void {
  if (attempt.status.kind !== 'following') return
  if (!attempt.missing?.length) return makeReady(state, key, attempt, out)
  const slot = lineToFollowIn(state, attempt)
  if (slot !== undefined) putIntoLine(state, slot, key, attempt, out)
}

/** An attempt is over; those that were sent ahead of its result go on when there is one. */
export function feedFollowers(
  state: State,
  key: AttemptKey,
  ref: AttemptRef,
  outcome: EndOutcome | undefined,
  out: Effect[],
): void {
  const followers = state.followers.get(key)
  if (followers === undefined) return
  state.followers.delete(key)
  if (outcome === undefined || outcome.kind === 'failed') return
  for (const follower of followers) {
    const attempt = state.attempts.get(follower)
    if (attempt === undefined) continue
    takeMade(attempt, ref, outcome)
    follow(state, follower, attempt, out)
  }
}
