import { isQueued, isStaying } from './allocation.js'
import { affordableAllocations } from './budget.js'
import { allocationsFor, type Pool } from './pool.js'
import { allocationsOf, type State } from './state.js'

/** How many more allocations the pool is to have now, and what keeps it from having more. */
export interface Room {
  readonly count: number
  /** How many are neither there nor on their way. */
  readonly missing: number
  readonly limit: 'none' | 'paused' | 'backingOff' | 'unclear' | 'maxPending' | 'maxJobs' | 'budget'
}

export function roomOf(state: State, pool: Pool, atMs: number): Room {
  const { limits } = pool
  const own = allocationsOf(state, limits.name)
  const missing = allocationsFor(pool, pool.desiredWorkers) - own.filter(isStaying).length
  if (missing <= 0 || pool.isRemoved || state.isStopping)
    return { count: 0, missing: Math.max(0, missing), limit: 'none' }
  if (pool.pause) return { count: 0, missing, limit: 'paused' }
  if (atMs < pool.notBeforeMs) return { count: 0, missing, limit: 'backingOff' }
  const isOpen = [...state.submissions.values()].some(
    (each) => each.pool === limits.name && each.status.kind !== 'accepted',
  )
  if (isOpen) return { count: 0, missing, limit: 'unclear' }
  const bounds: readonly (readonly [Room['limit'], number])[] = [
    ['none', missing],
    ['maxPending', limits.maxPending - own.filter(isQueued).length],
    ['maxJobs', limits.maxJobs - own.length],
    ['budget', affordableAllocations(state, pool)],
  ]
  const [limit, count] = bounds.reduce((tightest, bound) => (bound[1] < tightest[1] ? bound : tightest))
  return { count: Math.max(0, count), missing, limit }
}
