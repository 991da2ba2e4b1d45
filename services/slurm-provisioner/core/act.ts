import { type Allocation, type CancelReason, isQueued, isStaying, workersOf } from './allocation.js'
import { desireWorkers } from './desire.js'
import type { Out } from './effect.js'
import { emit } from './emit.js'
import type { EventOf } from './event.js'
import { noteFailedSubmit } from './failed-submits.js'
import { allocationsFor, type Pool } from './pool.js'
import { roomOf } from './room.js'
import { isHopeless } from './slurm-state.js'
import { allocationsOf, excludedNodes, seesQueue, type State } from './state.js'

/** Without arrays a burst has at most so many calls of sbatch. */
const mostSingleSubmits = 10

/** Brings what is there towards what is desired: the same whatever was heard, and nothing when all is as it should be. */
export function act(state: State, atMs: number, out: Out): void {
  desireWorkers(state, atMs)
  for (const pool of state.pools.values()) {
    keepOnes(state, pool)
    giveUpSlowOnes(state, pool, atMs, out)
    shrink(state, pool, atMs, out)
  }
  // A queue that cannot be seen is neither added to nor taken from: a job that is not seen may be there.
  if (!seesQueue(state) || atMs < state.nextBurstAtMs) return
  const submitted = [...state.pools.values()].map((pool) => grow(state, pool, atMs, out)).some(Boolean)
  const cancelled = submitted ? false : cancelAll(state, atMs, out)
  if (submitted || cancelled) state.nextBurstAtMs = atMs + state.policy.pollIntervalMs
}

function grow(state: State, pool: Pool, atMs: number, out: Out): boolean {
  const { count } = roomOf(state, pool, atMs)
  if (count === 0) return false
  const { name, array, coresPerAllocation: cores, workersPerAllocation: workers } = pool.limits
  const sizes = array ? [count] : Array.from({ length: Math.min(count, mostSingleSubmits) }, () => 1)
  for (const size of sizes) {
    const key = `${state.token}${state.nextKey++}`
    const indices = Array.from({ length: size }, (_, index) => index)
    emit(state, out, { kind: 'submitIntended', atMs, pool: name, key, indices, cores, workers })
    out.effects.push({ kind: 'submitJobs', pool: name, key, count: size, excludedNodes: excludedNodes(state) })
    pool.totals.submits++
    pool.totals.allocations += size
  }
  return true
}

/** Allocations that wait or run for too long without being of use. */
function giveUpSlowOnes(state: State, pool: Pool, atMs: number, out: Out): void {
  const { limits } = pool
  let hopeless: string | undefined
  for (const allocation of allocationsOf(state, limits.name)) {
    if (allocation.cancel) continue
    const { phase } = allocation
    if (phase.kind === 'pending') {
      const waitedMs = atMs - phase.sinceMs
      if (isHopeless(phase.reason)) {
        hopeless = phase.reason
        doom(allocation, 'hopeless', `it would wait for ever (${phase.reason})`)
      } else if (limits.pendingTimeoutMs !== undefined && waitedMs >= limits.pendingTimeoutMs) {
        doom(allocation, 'neverStarted', `it waited ${inWords(waitedMs)} (${phase.reason})`)
      }
    } else if (phase.kind === 'running' && state.workersAreCurrent) {
      const ranMs = atMs - phase.sinceMs
      if (ranMs < limits.registerTimeoutMs) continue
      const what = allocation.wasRegistered
        ? 'the scheduler has lost its workers'
        : 'no worker of it reached the scheduler'
      doom(allocation, 'neverRegistered', `it ran for ${inWords(ranMs)} and ${what}`)
    }
  }
  if (hopeless === undefined) return
  const message = `it was accepted, and would wait for ever (${hopeless})`
  const advice = 'compare the settings of the pool with the limits of the partition, account and QOS'
  pool.hopelessSubmits++
  const refusal = { kind: 'hopeless', message, advice, isTransient: false }
  noteFailedSubmit(state, pool, refusal, pool.hopelessSubmits, { atMs, out })
}

/** What was to go for want of work, and was not told so yet, stays if it is wanted again. */
function keepOnes(state: State, { limits }: Pool): void {
  for (const allocation of allocationsOf(state, limits.name)) {
    const { cancel } = allocation
    if (cancel?.reason === 'notNeeded' && cancel.toldAtMs === undefined) allocation.cancel = undefined
  }
}

/** Lets go what is too much: first what waits in the queue, the newest first, then idle workers, those first that hold little. */
function shrink(state: State, pool: Pool, atMs: number, out: Out): void {
  const staying = allocationsOf(state, pool.limits.name).filter(isStaying)
  let surplus = staying.length - allocationsFor(pool, pool.desiredWorkers)
  if (surplus <= 0 || !mayShrink(state, pool, atMs)) return
  const isForced = state.isStopping || pool.isRemoved || pool.scale.kind === 'draining'
  const reason: CancelReason = state.isStopping ? 'stopping' : pool.isRemoved ? 'orphan' : 'notNeeded'
  const waiting = staying.filter(isQueued).sort((a, b) => b.submittedAtMs - a.submittedAtMs || b.index - a.index)
  for (const allocation of waiting.slice(0, surplus)) doom(allocation, reason, cancelTexts[reason])
  surplus -= Math.min(surplus, waiting.length)
  const rest = staying.filter((allocation) => !isQueued(allocation))
  // What has no worker yet has nothing to lose.
  const starting = rest
    .filter(({ phase }) => phase.kind === 'running')
    .sort((a, b) => b.submittedAtMs - a.submittedAtMs)
  for (const allocation of starting.slice(0, surplus)) doom(allocation, reason, cancelTexts[reason])
  surplus -= Math.min(surplus, starting.length)
  if (state.isStopping) {
    for (const allocation of rest) doom(allocation, reason, cancelTexts[reason])
    return
  }
  const registered = rest.filter(({ phase }) => phase.kind === 'registered')
  const isTold = ({ drainToldAtMs = -Infinity }: Allocation): boolean =>
    atMs - drainToldAtMs < state.policy.pollIntervalMs
  // Those that were asked a moment ago will go, or stay because they got work.
  surplus -= registered.filter(isTold).length
  const next = registered
    .filter((allocation) => !isTold(allocation) && (isForced || isIdle(allocation)))
    .sort((a, b) => heldBy(a) - heldBy(b))
  for (const allocation of next.slice(0, Math.max(0, surplus))) drain(allocation, pool, isForced, atMs, out)
}

const cancelTexts = {
  stopping: 'the mesh ends',
  orphan: 'its pool is not in the pools file any more',
  notNeeded: 'there is no work for it',
} as const

/** Nobody is let go on a demand that nobody vouches for, or as long as who has work is unknown. */
function mayShrink(state: State, pool: Pool, atMs: number): boolean {
  if (state.isStopping || pool.isRemoved || pool.scale.kind !== 'adaptive') return true
  // After a restart too, a lull has its time.
  return state.demandIsCurrent && state.workersAreCurrent && atMs - state.startedAtMs >= pool.limits.idleTimeoutMs
}

function drain(allocation: Allocation, pool: Pool, isForced: boolean, atMs: number, out: Out): void {
  allocation.drainToldAtMs = atMs
  for (const { workerId, isDraining } of workersOf(allocation)) {
    if (isDraining) continue
    out.effects.push({ kind: 'drainWorker', workerId, onlyIfIdle: !isForced })
    pool.totals.drains++
  }
}

/** What somebody asked to go: workers finish first, what has none is cancelled. */
export function drainAllocations(state: State, { allocationIds, atMs }: EventOf<'drainRequested'>, out: Out): void {
  for (const id of allocationIds) {
    const allocation = state.allocations.get(id)
    const pool = allocation && state.pools.get(allocation.pool)
    if (!pool || !isStaying(allocation)) continue
    if (allocation.phase.kind === 'registered') drain(allocation, pool, true, atMs, out)
    else doom(allocation, 'operator', 'somebody asked for it')
  }
}

function isIdle(allocation: Allocation): boolean {
  return workersOf(allocation).every(({ assignedTasks }) => assignedTasks === 0)
}

function heldBy(allocation: Allocation): number {
  return workersOf(allocation).reduce((sum, { heldObjects }) => sum + heldObjects, 0)
}

function doom(allocation: Allocation, reason: CancelReason, text: string): void {
  allocation.cancel ??= { reason, text, toldAtMs: undefined }
}

/** One scancel for all that are to go. */
function cancelAll(state: State, atMs: number, out: Out): boolean {
  const { mostCancels, cancelAgainMs } = state.policy
  const due = [...state.allocations.values()].filter(({ cancel, jobId, phase, misses }) => {
    // Only what the queue shows under our key: SLURM gives the ids of jobs that it forgot to others.
    if (cancel === undefined || jobId === undefined || phase.kind === 'submitted' || misses > 0) return false
    return cancel.toldAtMs === undefined || atMs - cancel.toldAtMs >= cancelAgainMs
  })
  const told = due.slice(0, mostCancels)
  if (told.length === 0) return false
  for (const allocation of told) {
    allocation.cancel!.toldAtMs = atMs
    const pool = state.pools.get(allocation.pool)
    if (pool) pool.totals.cancels++
  }
  out.effects.push({ kind: 'cancelJobs', jobIds: told.map(({ jobId }) => jobId!) })
  return true
}

function inWords(durationMs: number): string {
  const seconds = Math.round(durationMs / 1000)
  return seconds < 120 ? `${seconds} s` : `${Math.round(seconds / 60)} min`
}
