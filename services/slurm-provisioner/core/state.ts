/** How many workers of a pool there may be, and when they are let go. */
export interface PoolLimits {
  readonly name: string
  readonly minWorkers: number
  readonly maxWorkers: number
  readonly slotsPerWorker: number
  /** Demand must stay lower for this long before fewer workers are desired. */
  readonly idleTimeoutMs: number
}

/** Since when the demand asks for fewer workers than are desired, and the most that it asked for meanwhile. */
export interface Lull {
  readonly sinceMs: number
  readonly highest: number
}

export interface Pool {
  readonly limits: PoolLimits
  /** What the demand asks for at this moment, within the limits. */
  targetWorkers: number
  /** The same, but slow to fall. */
  desiredWorkers: number
  /** Workers of the mesh that count as this pool's. */
  presentWorkers: number
  /** Workers that are there or that a script was printed for. */
  allocatedWorkers: number
  lull: Lull | undefined
}

/** Everything that the provisioner knows. Mutated in place by `reconcile`, by nobody else. */
export interface State {
  /** In the order in which demand fills them. */
  readonly pools: readonly Pool[]
  /** Whether the scheduler vouches for the demand that was heard last. */
  demandIsCurrent: boolean
}

/** A provisioner that has not heard of any demand: each pool wants its fewest workers. */
export function createState(pools: readonly PoolLimits[]): State {
  return {
    pools: pools.map((limits) => ({
      limits,
      targetWorkers: limits.minWorkers,
      desiredWorkers: limits.minWorkers,
      presentWorkers: 0,
      allocatedWorkers: 0,
      lull: undefined,
    })),
    demandIsCurrent: false,
  }
}
