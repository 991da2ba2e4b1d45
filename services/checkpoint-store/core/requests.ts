import { type Out, refuse } from './effect.js'
import { emit } from './emit.js'
import type { RememberedAnswer, State } from './state.js'

/** A shelf takes requests for a part of the time that they are remembered, and a part of their number. */
const shelvesAtOnce = 50

/**
 * Remembers the answer to a request for its duplicates. Requests stand on shelves, in the order of time, and are forgotten
 * by the shelf: forgetting each by itself would cost as much as saving.
 */
export function remember(state: State, out: Out, requestId: string, atMs: number, answer: RememberedAnswer): void {
  const { rememberMs, rememberRequests } = state.policy
  const last = state.shelves.at(-1)
  const isOpen =
    last !== undefined &&
    last.requestIds.length < Math.max(1, rememberRequests / shelvesAtOnce) &&
    atMs - last.sinceMs < rememberMs / shelvesAtOnce
  const shelf = last === undefined ? 1 : isOpen ? last.number : last.number + 1
  emit(state, out, { kind: 'requestRemembered', shelf, atMs, requestId, answer })
  forgetOld(state, out, atMs)
}

/** Forgets the shelves that are too old, or too many. */
export function forgetOld(state: State, out: Out, atMs: number): void {
  const { rememberMs, rememberRequests } = state.policy
  for (;;) {
    const [oldest] = state.shelves
    if (oldest === undefined) return
    // A shelf was open for so long: everything on it is older.
    const isYoung = oldest.sinceMs + rememberMs / shelvesAtOnce > atMs - rememberMs
    if (isYoung && state.requests.size <= rememberRequests) return
    emit(state, out, { kind: 'requestsForgotten', shelf: oldest.number })
  }
}

/** Refuses a request id that has come before with a different request. */
export function refuseReuse(
  out: Out,
  event: { readonly callId: number },
  requestId: string,
  first: RememberedAnswer,
): void {
  refuse(out, event, {
    code: 'INVALID_ARGUMENT',
    reason: 'REQUEST_ID_REUSED',
    message: `request id ${requestId} was used before (checkpoint ${first.name} was ${first.kind}): use a new one per request`,
    metadata: { requestId },
  })
}
