import type { Answers } from './event.js'
import type { Fact } from './fact.js'
import type { Digest } from './state.js'

/** A request that cannot be served; becomes an RPC status at the rim. */
export interface Refusal {
  readonly code: 'INVALID_ARGUMENT' | 'NOT_FOUND' | 'ABORTED' | 'RESOURCE_EXHAUSTED' | 'DATA_LOSS' | 'UNAVAILABLE'
  readonly reason: string
  readonly message: string
  readonly metadata?: Readonly<Record<string, string>>
  /** What was not found. */
  readonly resource?: { readonly type: string; readonly name: string }
  /** Which limit is reached. */
  readonly quotas?: readonly { readonly subject: string; readonly description: string }[]
  readonly retryDelayMs?: number
}

/** What must be done. Effects expect no answer; answers come back as events. */
export type Effect =
  /** The chunk is garbage: ask again when its turn has come (`collectionDue`), and delete its file. */
  | { readonly kind: 'collectChunk'; readonly digest: Digest }
  /** A permission need not wait until what came before it is remembered: after a crash nobody has it any more. */
  | {
      readonly kind: 'answer'
      readonly callId: number
      readonly value: Answers[keyof Answers]
      readonly isPermission?: boolean
    }
  | { readonly kind: 'refuse'; readonly callId: number; readonly refusal: Refusal }

/** Where `decide` puts what follows from an event. */
export interface Out {
  readonly facts: Fact[]
  readonly effects: Effect[]
}

export function createOut(): Out {
  return { facts: [], effects: [] }
}

/** Answers who asked. */
export function answer<Kind extends keyof Answers>(
  out: Out,
  { callId }: { readonly kind: Kind; readonly callId: number },
  value: Answers[Kind],
): void {
  out.effects.push({ kind: 'answer', callId, value })
}

/** Answers who asked with leave to go on, which rests on nothing that must be remembered. */
export function permit<Kind extends keyof Answers>(
  out: Out,
  { callId }: { readonly kind: Kind; readonly callId: number },
  value: Answers[Kind],
): void {
  out.effects.push({ kind: 'answer', callId, value, isPermission: true })
}

/** Tells who asked why not. */
export function refuse(out: Out, { callId }: { readonly callId: number }, refusal: Refusal): void {
  out.effects.push({ kind: 'refuse', callId, refusal })
}
