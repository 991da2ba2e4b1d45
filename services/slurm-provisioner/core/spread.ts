import type { Pool, PoolLimits } from './state.js'

/**
 * How many workers of each pool the wanted slots ask for, in the order of the pools: each gets its fewest, then the first
 * pool grows to its most before the next one does.
 */
export function spreadDemand(pools: readonly PoolLimits[], wantedSlots: number): readonly number[] {
  const keptSlots = pools.reduce((sum, { minWorkers, slotsPerWorker }) => sum + minWorkers * slotsPerWorker, 0)
  let missingSlots = Math.max(0, wantedSlots - keptSlots)
  return pools.map(({ minWorkers, maxWorkers, slotsPerWorker }) => {
    const more = Math.min(maxWorkers - minWorkers, Math.ceil(missingSlots / slotsPerWorker))
    missingSlots = Math.max(0, missingSlots - more * slotsPerWorker)
    return minWorkers + more
  })
}

/**
 * How many of the mesh's workers count for each pool. Demand names their number only, so who came is taken for one that was
 * asked for, else for one that is desired, in the order of the pools; who went, for one that is not desired any more.
 * Workers that no pool desires count for none.
 */
export function spreadPresent(pools: readonly Pool[], presentWorkers: number): readonly number[] {
  const counts = pools.map((pool) => pool.presentWorkers)
  let uncounted = presentWorkers - counts.reduce((sum, count) => sum + count, 0)
  const moveTowards = (goalOf: (pool: Pool) => number): void => {
    for (const [index, pool] of pools.entries()) {
      const distance = goalOf(pool) - counts[index]!
      if (distance === 0 || distance > 0 !== uncounted > 0) continue
      const step = distance > 0 ? Math.min(distance, uncounted) : Math.max(distance, uncounted)
      counts[index]! += step
      uncounted -= step
    }
  }
  if (uncounted < 0) {
    moveTowards(({ desiredWorkers }) => desiredWorkers)
    moveTowards(() => 0)
  }
  moveTowards(({ allocatedWorkers, desiredWorkers }) => Math.min(allocatedWorkers, desiredWorkers))
  moveTowards(({ desiredWorkers }) => desiredWorkers)
  return counts
}
