import type { TaskFailure } from '#libs/domain'

import type { AttemptKey, AttemptRef, EndOutcome, TaskOrder } from './state.js'

/** What happened. Every event carries its time. */
export type Event = { readonly atMs: number } & (
  | { readonly kind: 'linkOpened' }
  | { readonly kind: 'linkClosed' }
  | { readonly kind: 'tasksOrdered'; readonly orders: readonly TaskOrder[] }
  | { readonly kind: 'inputsFetched'; readonly key: AttemptKey }
  | { readonly kind: 'inputsFailed'; readonly key: AttemptKey; readonly failure: TaskFailure }
  | { readonly kind: 'attemptStarted'; readonly key: AttemptKey; readonly startedAtMs: number }
  | {
      readonly kind: 'attemptEnded'
      readonly key: AttemptKey
      readonly outcome: EndOutcome
      readonly startedAtMs: number
      readonly endedAtMs: number
    }
  /** It asked for a save of its checkpoint. */
  | { readonly kind: 'checkpointSaved'; readonly key: AttemptKey }
  /** The slot's thread or process is gone; what ran in it failed so, what waited behind it did not start. */
  | { readonly kind: 'slotLost'; readonly slot: number; readonly failure: TaskFailure }
  /** The slot's thread does not end while this attempt is in native code. */
  | { readonly kind: 'slotStuck'; readonly slot: number; readonly key: AttemptKey; readonly failure: TaskFailure }
  /** The attempt does nothing but wait for tasks that it submitted. */
  | { readonly kind: 'attemptAwaits'; readonly key: AttemptKey; readonly wait: number }
  | { readonly kind: 'attemptWoke'; readonly key: AttemptKey; readonly wait: number }
  /** The thread or process of an attempt without a slot is gone. */
  | { readonly kind: 'parkedLost'; readonly key: AttemptKey; readonly failure: TaskFailure }
  | { readonly kind: 'resumeOrdered'; readonly refs: readonly (AttemptRef & { readonly wait: number })[] }
  | { readonly kind: 'cancelOrdered'; readonly refs: readonly AttemptRef[]; readonly reason: string }
  | { readonly kind: 'recallOrdered'; readonly refs: readonly AttemptRef[] }
  /** A slot came to attempts whose inputs were not made in it, and passed them over. */
  | { readonly kind: 'attemptsPassedOver'; readonly keys: readonly AttemptKey[] }
  /** The executor gave up an attempt that had not begun. */
  | { readonly kind: 'attemptWithdrawn'; readonly key: AttemptKey }
  | { readonly kind: 'endsAcknowledged'; readonly refs: readonly AttemptRef[] }
  /** Memory is nearly full, or there is room again. */
  | { readonly kind: 'memoryPressed'; readonly isPaused: boolean }
  | { readonly kind: 'drainOrdered'; readonly reason: string }
  /** The worker leaves soon: what runs is asked to end, and goes on elsewhere. */
  | { readonly kind: 'noticeGiven'; readonly reason: string }
)

/** The event of one kind. */
export type EventOf<Kind extends Event['kind']> = Extract<Event, { kind: Kind }>
