import type { Pool } from './pool.js'
import type { State } from './state.js'

/** After so many failures in a row the pool waits: twice as long each time, up to the longest. */
export function backOff({ policy }: State, pool: Pool, failures: number, atMs: number): void {
  const waitMs = Math.min(policy.longestBackoffMs, policy.firstBackoffMs * 2 ** Math.max(0, failures - 1))
  pool.notBeforeMs = Math.max(pool.notBeforeMs, atMs + waitMs)
}
