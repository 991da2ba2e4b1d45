import type { Metadata } from 'nice-grpc-common'
import { abortError } from './interruptible.js'
import type { RpcFailure } from './status.js'

const MAX_ATTEMPTS = 4
const FIRST_BACKOFF_MS = 100
const MAX_BACKOFF_MS = 1_000

/**
 * How long to wait before the next attempt of an idempotent call, or undefined when there is none: only UNAVAILABLE is
 * tried again (AIP-194), within the deadline, and at most three times by who is not patient. Exponential backoff with full jitter; the
 * server's own wish, RetryInfo or `grpc-retry-pushback-ms` (gRFC A6, negative for never), goes first.
 */
export function retryDelayMs(
  failure: RpcFailure,
  state: { attempt: number; isPatient: boolean; remainingMs: number; trailer: Metadata | undefined; random: number },
): number | undefined {
  if (failure.code !== 'UNAVAILABLE' || (state.attempt >= MAX_ATTEMPTS && !state.isPatient)) return undefined
  const pushback = state.trailer?.get('grpc-retry-pushback-ms')
  const backoffMs = Math.min(MAX_BACKOFF_MS, FIRST_BACKOFF_MS * 2 ** (state.attempt - 1)) * state.random
  const delayMs = pushback === undefined ? Math.max(failure.retryDelayMs ?? 0, backoffMs) : Number(pushback)
  return delayMs >= 0 && delayMs < state.remainingMs ? delayMs : undefined
}

/** Resolves after the delay, rejects with an AbortError when the signal aborts before. */
export async function sleep(delayMs: number, signal: AbortSignal | undefined): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    const abort = () => {
      clearTimeout(timer)
      reject(abortError())
    }
    const timer = setTimeout(() => {
      signal?.removeEventListener('abort', abort)
      resolve()
    }, delayMs)
    if (signal?.aborted === true) abort()
    else signal?.addEventListener('abort', abort, { once: true })
  })
}
