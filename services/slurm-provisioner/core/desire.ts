import { type Allocation, isStaying, workersOf } from './allocation.js'
import { hasBudgetFor } from './budget.js'
import { medianQueueWaitMs, type Pool } from './pool.js'
import { allocationsOf, type State } from './state.js'

/** How many workers of a pool there may be at this moment. */
export interface Bounds {
  readonly least: number
  readonly most: number
  readonly slotsPerWorker: number
}

/** Says of each pool how many workers are desired: at once when that is more, after a lull when it is fewer. */
export function desireWorkers(state: State, atMs: number): void {
  const pools = [...state.pools.values()]
  const targets = spreadDemand(
    pools.map((pool) => boundsOf(state, pool)),
    slotsToProvide(state),
  )
  for (const [index, pool] of pools.entries()) {
    pool.targetWorkers = targets[index] ?? 0
    followTarget(state, pool, atMs)
  }
}

/**
 * How many workers of each pool the wanted slots ask for, in the order of the pools: each gets its fewest, then the first
 * pool grows to its most before the next one does.
 */
export function spreadDemand(bounds: readonly Bounds[], wantedSlots: number): readonly number[] {
  const keptSlots = bounds.reduce((sum, { least, slotsPerWorker }) => sum + least * slotsPerWorker, 0)
  let missingSlots = Math.max(0, wantedSlots - keptSlots)
  return bounds.map(({ least, most, slotsPerWorker }) => {
    const more = Math.min(most - least, Math.ceil(missingSlots / slotsPerWorker))
    missingSlots = Math.max(0, missingSlots - more * slotsPerWorker)
    return least + more
  })
}

/** When a lull ends, if there is one. */
export function lullEndMs({ lull, limits }: Pool): number | undefined {
  return lull && lull.sinceMs + limits.idleTimeoutMs
}

/** What is wanted and nobody else offers, without the slots that would have too little to do. */
function slotsToProvide({ demand, foreignSlots, pools }: State): number {
  if (demand === undefined) return 0
  const { wantedSlots, work } = demand
  const targetMs = Math.min(...[...pools.values()].map(({ limits }) => limits.targetDurationMs))
  const spared =
    work === undefined || !(targetMs > 0) ? 0 : Math.max(0, work.slots - Math.ceil(work.totalMs / targetMs))
  return Math.max(0, wantedSlots - spared - foreignSlots)
}

function boundsOf(state: State, pool: Pool): Bounds {
  const { limits, scale } = pool
  const { slotsPerWorker } = limits
  if (state.isStopping || pool.isRemoved || scale.kind === 'draining') return { least: 0, most: 0, slotsPerWorker }
  if (scale.kind === 'fixed') return { least: scale.workers, most: scale.workers, slotsPerWorker }
  const { minWorkers, maxWorkers } = limits
  const staying = workersStaying(allocationsOf(state, limits.name))
  // What cannot grow here may grow elsewhere.
  const isStuck = pool.pause !== undefined || !hasBudgetFor(state, pool, 1)
  const held = Math.max(staying, isStuck ? 0 : minWorkers)
  const most = isStuck || isTooLate(state, pool) ? Math.min(maxWorkers, held) : maxWorkers
  return { least: Math.min(minWorkers, most), most, slotsPerWorker }
}

/** Whether everything will be done before a worker that is asked for now is there. */
function isTooLate(state: State, pool: Pool): boolean {
  const { demand } = state
  if (demand?.work === undefined || demand.work.slots === 0) return false
  const waitMs = medianQueueWaitMs(pool)
  const slots = presentSlots(state)
  // Tasks of unknown length are among the wanted: nobody knows when all is done.
  if (slots === 0 || demand.wantedSlots - demand.work.slots > slots) return false
  return demand.work.totalMs / slots < waitMs
}

/** Slots of registered workers, ours and others'. */
function presentSlots({ allocations, foreignSlots }: State): number {
  let slots = foreignSlots
  for (const allocation of allocations.values()) {
    if (isStaying(allocation)) for (const worker of workersOf(allocation)) slots += worker.slots
  }
  return slots
}

/** Workers that are there or on their way, and stay. */
export function workersStaying(allocations: readonly Allocation[]): number {
  return allocations.reduce((sum, allocation) => sum + (isStaying(allocation) ? allocation.workers : 0), 0)
}

/** Up at once; down only after a lull, and then to the most that was asked for during it. */
function followTarget(state: State, pool: Pool, atMs: number): void {
  const { targetWorkers, limits } = pool
  const bounds = boundsOf(state, pool)
  if (pool.scale.kind !== 'adaptive' || pool.isRemoved || state.isStopping || pool.desiredWorkers > limits.maxWorkers) {
    pool.desiredWorkers = targetWorkers
    pool.lull = undefined
    return
  }
  if (targetWorkers >= pool.desiredWorkers) {
    pool.desiredWorkers = targetWorkers
    pool.lull = undefined
    return
  }
  // A level that nobody vouches for is no reason to let workers go; neither is one that was never heard.
  if (!state.demandIsCurrent) {
    pool.lull = undefined
    return
  }
  const sinceMs = pool.lull?.sinceMs ?? atMs
  const highest = Math.max(targetWorkers, pool.lull?.highest ?? 0)
  pool.lull = { sinceMs, highest }
  if (atMs - sinceMs < limits.idleTimeoutMs) return
  pool.desiredWorkers = Math.max(bounds.least, Math.min(highest, limits.maxWorkers))
  pool.lull = targetWorkers < pool.desiredWorkers ? { sinceMs: atMs, highest: targetWorkers } : undefined
}
