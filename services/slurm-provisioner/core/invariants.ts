import { allocationIdOf } from './allocation.js'
import type { State } from './state.js'

/** What is true of every state, whatever happened. Complaints, none when all is well. */
export function checkInvariants(state: State): string[] {
  const complaints: string[] = []
  for (const { key, pool, openIndices } of state.submissions.values()) {
    if (openIndices.size === 0) complaints.push(`submission ${key} has no allocation left`)
    if (!state.pools.has(pool)) complaints.push(`submission ${key} is of pool ${pool}, which is unknown`)
    for (const index of openIndices) {
      if (!state.allocations.has(allocationIdOf(key, index)))
        complaints.push(`submission ${key} lacks allocation ${index}`)
    }
  }
  for (const { id, key, index, pool } of state.allocations.values()) {
    const submission = state.submissions.get(key)
    if (!submission?.openIndices.has(index)) complaints.push(`allocation ${id} belongs to no submission`)
    if (submission && submission.pool !== pool)
      complaints.push(`allocation ${id} is of another pool than its submission`)
  }
  for (const { limits, desiredWorkers, scale, isRemoved, spentCoreMs } of state.pools.values()) {
    if (desiredWorkers < 0) complaints.push(`pool ${limits.name} desires ${desiredWorkers} workers`)
    if (scale.kind === 'adaptive' && !isRemoved && desiredWorkers > limits.maxWorkers) {
      complaints.push(`pool ${limits.name} desires ${desiredWorkers} workers, more than its most`)
    }
    if (spentCoreMs < 0) complaints.push(`pool ${limits.name} has spent less than nothing`)
  }
  if (state.history.length > state.policy.historyLength) complaints.push('the history is too long')
  return complaints
}
