import type { Effect } from './effect.js'
import { type Attempt, type AttemptKey, keyOf, kindOf, type State } from './state.js'

/** The longest that a report waits for others. */
const mostHoldMs = 50
/** For less than this nobody waits: ends of tasks that are so short come many at a time anyway. */
const leastHoldMs = 5

/**
 * What there is to do now of what was decided. A report costs the scheduler, its disk and the client about as much as twenty of
 * them at once: starts and ends wait for others as long as the slots have their next tasks here, at most for half of the time
 * that those take, so that more arrive before a slot is idle. Who is waited for, failed, or may have ended a worker before is
 * reported at once. What is held is due at `state.heldUntilMs`.
 */
export function holdReports(state: State, effects: readonly Effect[], atMs: number): readonly Effect[] {
  const { held } = state
  const mayWait = held.length + effects.length > 0 && effects.every((effect) => mayBeHeld(state, effect))
  const untilMs = mayWait ? Math.min(state.heldUntilMs, atMs + holdMsOf(state, atMs)) : atMs
  if (untilMs <= atMs) {
    if (held.length === 0) return effects
    state.held = []
    state.heldUntilMs = Infinity
    return [...held, ...effects]
  }
  const now: Effect[] = []
  for (const effect of effects) (isReport(effect) ? held : now).push(effect)
  if (held.length > 0) state.heldUntilMs = untilMs
  return now
}

function holdMsOf(state: State, atMs: number): number {
  const holdMs = Math.min(mostHoldMs, idleInMs(state, atMs) / 2)
  return holdMs < leastHoldMs ? 0 : holdMs
}

function isReport({ kind }: Effect): boolean {
  return kind === 'reportStarted' || kind === 'reportEnded'
}

function mayBeHeld(state: State, effect: Effect): boolean {
  switch (effect.kind) {
    case 'reportStarted':
      return state.attempts.get(keyOf(effect.ref))?.order.urgent !== true
    case 'reportEnded':
      return effect.order !== undefined && !effect.order.urgent && effect.end.outcome.kind !== 'failed'
    case 'execute':
    case 'fetchInputs':
    case 'dropInputs':
      return true
    default:
      return false
  }
}

/** How long every slot has something to do, as far as can be told; nothing when one has no next task. */
function idleInMs(state: State, atMs: number): number {
  const { attempts, lines, ready } = state
  const turns = Math.floor(ready.length / lines.length)
  const nextMs = turns === 0 ? 0 : turns * expectedMs(state, attempts.get(ready[0] as AttemptKey))
  let leastMs = Infinity
  for (const line of lines) {
    if (line.length === 0 || (line.length === 1 && nextMs === 0)) return 0
    let slotMs = nextMs
    for (const key of line) {
      const attempt = attempts.get(key)
      const ranMs = attempt?.status.kind === 'running' ? atMs - attempt.status.startedAtMs : 0
      slotMs += Math.max(0, expectedMs(state, attempt) - ranMs)
    }
    leastMs = Math.min(leastMs, slotMs)
  }
  return leastMs
}

function expectedMs({ meanRunMs }: State, attempt: Attempt | undefined): number {
  return (attempt && meanRunMs.get(kindOf(attempt.order))) ?? 0
}
