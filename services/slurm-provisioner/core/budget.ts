import type { Pool } from './pool.js'
import { allocationsOf, type State } from './state.js'

const msPerHour = 3_600_000

/**
 * What the pool's allocations may still cost: core milliseconds of those that have ended, and those that have not as if each
 * used its whole walltime. Infinity without a budget.
 */
export function remainingCoreMs(state: State, { limits, spentCoreMs }: Pool): number {
  if (limits.coreHours === undefined) return Infinity
  const open = allocationsOf(state, limits.name).reduce((sum, { cores }) => sum + cores * limits.walltimeMs, 0)
  return limits.coreHours * msPerHour - spentCoreMs - open
}

/** For how many more allocations of the pool the budget is enough. */
export function affordableAllocations(state: State, pool: Pool): number {
  const { coresPerAllocation, walltimeMs } = pool.limits
  return Math.max(0, Math.floor(remainingCoreMs(state, pool) / (coresPerAllocation * walltimeMs)))
}

export function hasBudgetFor(state: State, pool: Pool, allocations: number): boolean {
  return affordableAllocations(state, pool) >= allocations
}

/** What an allocation has cost so far. */
export function coreMsOf(
  allocation: { readonly cores: number; readonly startedAtMs: number | undefined },
  atMs: number,
): number {
  const { cores, startedAtMs } = allocation
  return startedAtMs === undefined ? 0 : cores * Math.max(0, atMs - startedAtMs)
}

/** Core hours, of core milliseconds. */
export function coreHoursOf(coreMs: number): number {
  return coreMs / msPerHour
}
