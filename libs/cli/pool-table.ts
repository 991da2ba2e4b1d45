import { type Allocation, AllocationState, type Pool, PoolCondition, type Timestamp } from '#libs/proto'

import type { Column, Paint } from './table.js'

const conditionNames = new Map<PoolCondition, string>([
  [PoolCondition.ACTIVE, 'active'],
  [PoolCondition.PAUSED, 'paused'],
  [PoolCondition.BACKING_OFF, 'backing off'],
  [PoolCondition.DRAINING, 'draining'],
  [PoolCondition.OUT_OF_BUDGET, 'out of budget'],
  [PoolCondition.QUEUE_UNREACHABLE, 'SLURM unreachable'],
  [PoolCondition.SCHEDULER_UNREACHABLE, 'scheduler unreachable'],
  [PoolCondition.SUBMIT_UNCLEAR, 'submit unclear'],
  [PoolCondition.REMOVED, 'removed'],
])

const allocationNames = new Map<AllocationState, string>([
  [AllocationState.SUBMITTED, 'submitted'],
  [AllocationState.PENDING, 'pending'],
  [AllocationState.RUNNING, 'running'],
  [AllocationState.REGISTERED, 'registered'],
  [AllocationState.DRAINING, 'draining'],
  [AllocationState.COMPLETED, 'completed'],
  [AllocationState.TIMEOUT, 'timeout'],
  [AllocationState.PREEMPTED, 'preempted'],
  [AllocationState.NODE_FAILURE, 'node failure'],
  [AllocationState.OUT_OF_MEMORY, 'out of memory'],
  [AllocationState.CANCELLED, 'cancelled'],
  [AllocationState.FAILED, 'failed'],
  [AllocationState.FAILED_BEFORE_REGISTERING, 'failed before registering'],
  [AllocationState.NEVER_REGISTERED, 'never registered'],
  [AllocationState.NEVER_STARTED, 'never started'],
  [AllocationState.VANISHED, 'vanished'],
])

/** A pool as `costate slurm` shows it; times in ISO 8601. */
export interface PoolRow {
  readonly name: string
  readonly condition: string
  readonly desiredWorkers: number
  readonly presentWorkers: number
  readonly minWorkers: number
  readonly maxWorkers: number
  readonly heldWorkers?: number
  readonly allocations: Readonly<Record<'submitted' | 'pending' | 'running' | 'registered' | 'draining', number>>
  readonly spentCoreHours: number
  readonly coreHours?: number
  readonly pauseReason?: string
  readonly lastRefusal?: string
  readonly advice?: string
  readonly nextSubmitAt?: string
  readonly explanation: string
}

export function poolRowOf(pool: Pool): PoolRow {
  return {
    name: pool.name,
    condition: conditionNames.get(pool.condition) ?? 'unknown',
    desiredWorkers: pool.desiredWorkers,
    presentWorkers: pool.presentWorkers,
    minWorkers: pool.minWorkers,
    maxWorkers: pool.maxWorkers,
    ...(pool.heldWorkers === undefined ? {} : { heldWorkers: pool.heldWorkers }),
    allocations: {
      submitted: pool.submittedAllocations,
      pending: pool.pendingAllocations,
      running: pool.runningAllocations,
      registered: pool.registeredAllocations,
      draining: pool.drainingAllocations,
    },
    spentCoreHours: pool.spentCoreHours,
    ...(pool.coreHours === undefined ? {} : { coreHours: pool.coreHours }),
    ...(pool.pauseReason === '' ? {} : { pauseReason: pool.pauseReason }),
    ...(pool.lastRefusal === '' ? {} : { lastRefusal: pool.lastRefusal, advice: pool.advice }),
    ...(pool.nextSubmitAt ? { nextSubmitAt: isoOf(pool.nextSubmitAt) } : {}),
    explanation: pool.explanation,
  }
}

export const poolColumns: readonly Column<PoolRow>[] = [
  { title: 'POOL', show: ({ name }) => name },
  { title: 'STATE', show: ({ condition }) => condition, paint: ({ condition }) => paintOfCondition(condition) },
  { title: 'WORKERS', show: ({ presentWorkers }) => presentWorkers },
  { title: 'WANTED', show: ({ desiredWorkers }) => desiredWorkers },
  { title: 'LIMITS', show: ({ minWorkers, maxWorkers }) => `${minWorkers}-${maxWorkers}` },
  { title: 'PENDING', show: ({ allocations }) => allocations.submitted + allocations.pending },
  { title: 'STARTING', show: ({ allocations }) => allocations.running },
  { title: 'REGISTERED', show: ({ allocations }) => allocations.registered },
  { title: 'DRAINING', show: ({ allocations }) => allocations.draining },
  { title: 'CORE HOURS', show: ({ spentCoreHours }) => spentCoreHours.toFixed(2), isExtra: true },
  { title: 'WHY', show: whyOf, isCut: true },
]

/** An allocation as `costate slurm allocations` shows it; times in ISO 8601. */
export interface AllocationRow {
  readonly allocationId: string
  readonly pool: string
  readonly jobId: string
  readonly state: string
  readonly slurmState?: string
  readonly slurmReason?: string
  readonly node?: string
  readonly workers: readonly string[]
  readonly restarts: number
  readonly submittedAt: string
  readonly startedAt?: string
  readonly endedAt?: string
  readonly expectedStartAt?: string
  readonly exitCode?: number
  readonly signal?: number
  readonly explanation: string
}

export function allocationRowOf(allocation: Allocation): AllocationRow {
  const { allocationId, pool, jobId, restarts, explanation, batchState, batchReason, node } = allocation
  const { startedAt, endedAt, expectedStartAt, exitCode, signal } = allocation
  return {
    ...{ allocationId, pool, jobId, state: allocationNames.get(allocation.state) ?? 'unknown' },
    ...(batchState === '' ? {} : { slurmState: batchState }),
    ...(batchReason === '' ? {} : { slurmReason: batchReason }),
    ...(node === '' ? {} : { node }),
    ...{ workers: allocation.workerIds, restarts, submittedAt: isoOf(allocation.submittedAt) },
    ...(startedAt ? { startedAt: isoOf(startedAt) } : {}),
    ...(endedAt ? { endedAt: isoOf(endedAt) } : {}),
    ...(expectedStartAt ? { expectedStartAt: isoOf(expectedStartAt) } : {}),
    ...(exitCode === undefined ? {} : { exitCode }),
    ...(signal === undefined ? {} : { signal }),
    explanation,
  }
}

export const allocationColumns: readonly Column<AllocationRow>[] = [
  { title: 'JOB', show: ({ jobId }) => jobId || '?' },
  { title: 'POOL', show: ({ pool }) => pool },
  { title: 'STATE', show: ({ state }) => state, paint: ({ state }) => paintOfAllocation(state) },
  {
    title: 'SLURM',
    show: ({ slurmState, slurmReason }) => [slurmState, slurmReason].filter(Boolean).join(' '),
    isCut: true,
  },
  { title: 'NODE', show: ({ node = '' }) => node },
  { title: 'WORKERS', show: ({ workers }) => workers.join(' '), isCut: true },
  { title: 'RESTARTS', show: ({ restarts }) => restarts, isExtra: true },
  { title: 'SUBMITTED', show: ({ submittedAt }) => submittedAt, isExtra: true },
  { title: 'ALLOCATION', show: ({ allocationId }) => allocationId, isExtra: true },
]

function whyOf({ pauseReason, lastRefusal }: PoolRow): string {
  return pauseReason ?? lastRefusal ?? ''
}

function paintOfCondition(condition: string): Paint {
  if (condition === 'active') return 'green'
  return condition === 'paused' || condition.endsWith('unreachable') ? 'red' : 'yellow'
}

function paintOfAllocation(state: string): Paint | undefined {
  switch (state) {
    case 'registered':
      return 'green'
    case 'running':
    case 'pending':
    case 'submitted':
      return 'cyan'
    case 'completed':
      return 'dim'
    case 'draining':
    case 'cancelled':
    case 'preempted':
      return 'yellow'
    default:
      return 'red'
  }
}

function isoOf(time: Timestamp | undefined): string {
  return time ? new Date(Number(time.seconds) * 1000 + time.nanos / 1e6).toISOString() : ''
}
