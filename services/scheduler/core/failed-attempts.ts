import type { FailedAttempt, RetryableKind } from '#libs/domain'

/** What is remembered of the attempts of a task that failed. */
export interface FailedAttempts {
  /** The first and the newest ones. */
  readonly history: readonly FailedAttempt[]
  /** How many counted against the limit of their class. */
  readonly charged: Readonly<Partial<Record<RetryableKind, number>>>
  /** The last one that is known to be over. Nobody may claim it, or one before it. */
  readonly over: { readonly epoch: number; readonly attempt: number } | undefined
  /** The task is not tried again before. */
  readonly retryAtMs: number
}
