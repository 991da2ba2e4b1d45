/** How many workers of a pool there may be, what an allocation of it is, and how patient the provisioner is with it. */
export interface PoolLimits {
  readonly name: string
  readonly minWorkers: number
  readonly maxWorkers: number
  readonly slotsPerWorker: number
  /** Workers that one SLURM job starts: nodes × workers per node. */
  readonly workersPerAllocation: number
  /** Cores that one allocation is charged for. */
  readonly coresPerAllocation: number
  readonly walltimeMs: number
  /** Demand must stay lower for this long before fewer workers are desired. */
  readonly idleTimeoutMs: number
  /** How many allocations may wait in SLURM's queue at once. */
  readonly maxPending: number
  /** How many allocations there may be at once, however they are. */
  readonly maxJobs: number
  /** Whether several allocations are submitted as one array job. */
  readonly array: boolean
  /** An allocation that runs so long without a worker at the scheduler is given up. */
  readonly registerTimeoutMs: number
  /** An allocation that waits in the queue for longer is given up and asked for again; undefined for never. */
  readonly pendingTimeoutMs: number | undefined
  /** After so many refused submits in a row the pool is paused. */
  readonly maxFailedSubmits: number
  /** The same for allocations that ended without a worker, or ran without one. */
  readonly maxNeverRegistered: number
  /** No worker is asked for that would have less to do than this, as far as run times are known. */
  readonly targetDurationMs: number
  /** What all allocations together may cost; undefined for any. */
  readonly coreHours: number | undefined
}

/** Since when the demand asks for fewer workers than are desired, and the most that it asked for meanwhile. */
export interface Lull {
  readonly sinceMs: number
  readonly highest: number
}

/** How many workers a pool keeps: as many as there is work for, a number that somebody set, or none, as soon as may be. */
export type Scale =
  { readonly kind: 'adaptive' } | { readonly kind: 'fixed'; readonly workers: number } | { readonly kind: 'draining' }

/** Why a pool submits nothing until somebody resumes it. */
export interface Pause {
  readonly sinceMs: number
  readonly by: 'provisioner' | 'operator'
  /** In words, with SLURM's own where it said some. */
  readonly reason: string
}

/** What SLURM said when it refused the last submit. */
export interface LastRefusal {
  readonly atMs: number
  /** A word for programs, such as `invalidPartition`. */
  readonly kind: string
  readonly message: string
  /** What to do about it. */
  readonly advice: string
}

export interface Pool {
  limits: PoolLimits
  /** The pools file names it no more: it gets no allocation, and loses those that it has. */
  isRemoved: boolean
  scale: Scale
  pause: Pause | undefined
  /** What the demand asks for at this moment, within the limits. */
  targetWorkers: number
  /** The same, but slow to fall. */
  desiredWorkers: number
  lull: Lull | undefined
  failedSubmits: number
  /** Submits in a row that were accepted for jobs that would wait for ever. */
  hopelessSubmits: number
  neverRegistered: number
  /** No submit before this time. */
  notBeforeMs: number
  lastRefusal: LastRefusal | undefined
  /** How long its last allocations waited in the queue, newest last. */
  readonly queueWaitsMs: number[]
  /** Core milliseconds of allocations that have ended. */
  spentCoreMs: number
  /** Submits, refusals and ends so far, for metrics. */
  readonly totals: PoolTotals
}

export interface PoolTotals {
  submits: number
  refusals: number
  allocations: number
  cancels: number
  drains: number
  readonly endings: Map<string, number>
}

export function createPool(limits: PoolLimits): Pool {
  return {
    limits,
    isRemoved: false,
    scale: { kind: 'adaptive' },
    pause: undefined,
    targetWorkers: limits.minWorkers,
    desiredWorkers: limits.minWorkers,
    lull: undefined,
    failedSubmits: 0,
    hopelessSubmits: 0,
    neverRegistered: 0,
    notBeforeMs: 0,
    lastRefusal: undefined,
    queueWaitsMs: [],
    spentCoreMs: 0,
    totals: { submits: 0, refusals: 0, allocations: 0, cancels: 0, drains: 0, endings: new Map() },
  }
}

/** How many allocations it takes for so many workers. */
export function allocationsFor({ limits }: Pool, workers: number): number {
  return Math.ceil(workers / limits.workersPerAllocation)
}

/** The middle of the last queue waits; 0 while none is known. */
export function medianQueueWaitMs({ queueWaitsMs }: Pool): number {
  const sorted = [...queueWaitsMs].sort((a, b) => a - b)
  return sorted[Math.floor(sorted.length / 2)] ?? 0
}
