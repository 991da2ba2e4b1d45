import { answer, type Out, type Refusal } from './effect.js'
import { emit } from './emit.js'
import type { EventOf, SaveTarget } from './event.js'
import { refuseReuse, remember } from './requests.js'
import { type State, unusedLeaseMs } from './state.js'

/** So many tokens are given out for one fact that says it. */
const tokensPerFact = 1_000

/** Gives a writer a token that is higher than every one that was given for the name before, whoever had it. */
export function takeLease(state: State, event: EventOf<'leaseRequested'>, out: Out): void {
  const { name, holder, requestId, atMs } = event
  const first = state.requests.get(requestId)
  if (first?.kind === 'leased' && first.name === name) return answer(out, event, { token: first.token })
  if (first) return refuseReuse(out, event, requestId, first)
  // One counter for all names: it goes on where it was also for a name that was forgotten in between.
  if (state.lastToken >= state.reservedTokens) {
    const begin = state.reservedTokens
    emit(state, out, { kind: 'tokensReserved', upTo: begin + tokensPerFact })
    state.lastToken = begin
  }
  const token = ++state.lastToken
  emit(state, out, { kind: 'leaseTaken', name, lease: { token, holder, atMs } })
  remember(state, out, requestId, atMs, { kind: 'leased', name, token })
  answer(out, event, { token })
}

/** Why this writer may not save any more: another has taken the name over. */
export function refuseStale(state: State, { name, writerToken }: SaveTarget): Refusal | undefined {
  if (writerToken === 0) return undefined
  const lease = state.leases.get(name)
  const newest = state.checkpoints.get(name)?.versions.at(-1)
  const current = Math.max(lease?.token ?? 0, newest?.writerToken ?? 0)
  if (writerToken >= current) return undefined
  const by = lease && lease.token === current ? ` by ${lease.holder}` : ''
  return {
    code: 'ABORTED',
    reason: 'STALE_LEASE',
    message: `checkpoint ${name} was taken over${by} (lease ${current}, this writer has ${writerToken}): a later attempt runs; stop`,
    metadata: { name, token: String(current) },
  }
}

/** Forgets the leases of long ago under which nothing is kept. */
export function endUnusedLeases(state: State, atMs: number, out: Out): void {
  for (const [name, lease] of state.leases) {
    if (state.checkpoints.has(name) || atMs - lease.atMs < unusedLeaseMs) continue
    emit(state, out, { kind: 'leaseEnded', name })
  }
}
