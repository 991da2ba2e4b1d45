import type { RetryPolicy } from '#libs/domain'

/** Waits of a second and no chance. */
export const steady: RetryPolicy = { maxAttempts: {}, firstDelayMs: 1_000, factor: 1, maxDelayMs: 60_000, jitter: 0 }
