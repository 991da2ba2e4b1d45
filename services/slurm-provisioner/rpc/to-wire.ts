import {
  type Allocation as WireAllocation,
  AllocationState,
  type Pool as WirePool,
  PoolCondition,
  type Timestamp,
} from '#libs/proto'

import {
  type Allocation,
  type EndedAllocation,
  type EndingKind,
  nodeOf,
  type Phase,
  workersOf,
} from '../core/allocation.js'
import { coreHoursOf } from '../core/budget.js'
import { type Condition, conditionOf, explainAllocation, explainPool } from '../core/explain.js'
import type { Pool } from '../core/pool.js'
import { roomOf } from '../core/room.js'
import { allocationsOf, type State } from '../core/state.js'

const conditions: Readonly<Record<Condition, PoolCondition>> = {
  active: PoolCondition.ACTIVE,
  paused: PoolCondition.PAUSED,
  backingOff: PoolCondition.BACKING_OFF,
  draining: PoolCondition.DRAINING,
  outOfBudget: PoolCondition.OUT_OF_BUDGET,
  slurmUnreachable: PoolCondition.QUEUE_UNREACHABLE,
  schedulerUnreachable: PoolCondition.SCHEDULER_UNREACHABLE,
  submitUnclear: PoolCondition.SUBMIT_UNCLEAR,
  removed: PoolCondition.REMOVED,
}

const phaseStates: Readonly<Record<Phase['kind'], AllocationState>> = {
  submitted: AllocationState.SUBMITTED,
  pending: AllocationState.PENDING,
  running: AllocationState.RUNNING,
  registered: AllocationState.REGISTERED,
  draining: AllocationState.DRAINING,
}

const endingStates: Readonly<Record<EndingKind, AllocationState>> = {
  completed: AllocationState.COMPLETED,
  timeout: AllocationState.TIMEOUT,
  preempted: AllocationState.PREEMPTED,
  nodeFailure: AllocationState.NODE_FAILURE,
  outOfMemory: AllocationState.OUT_OF_MEMORY,
  cancelled: AllocationState.CANCELLED,
  failed: AllocationState.FAILED,
  failedBeforeRegistering: AllocationState.FAILED_BEFORE_REGISTERING,
  neverRegistered: AllocationState.NEVER_REGISTERED,
  neverStarted: AllocationState.NEVER_STARTED,
  vanished: AllocationState.VANISHED,
}

export function poolToWire(state: State, pool: Pool, atMs: number): WirePool {
  const { limits, desiredWorkers, scale, pause, lastRefusal, notBeforeMs, spentCoreMs } = pool
  const own = allocationsOf(state, limits.name)
  const count = (kind: Phase['kind']): number => own.filter(({ phase }) => phase.kind === kind).length
  const missing = roomOf(state, pool, atMs).missing * limits.workersPerAllocation
  return {
    name: limits.name,
    desiredWorkers,
    minWorkers: limits.minWorkers,
    maxWorkers: limits.maxWorkers,
    missingWorkers: Math.max(0, missing),
    condition: conditions[conditionOf(state, pool, atMs)],
    explanation: explainPool(state, pool, atMs),
    presentWorkers: own.reduce((sum, allocation) => sum + workersOf(allocation).length, 0),
    submittedAllocations: count('submitted'),
    pendingAllocations: count('pending'),
    runningAllocations: count('running'),
    registeredAllocations: count('registered'),
    drainingAllocations: count('draining'),
    heldWorkers: scale.kind === 'adaptive' ? undefined : scale.kind === 'fixed' ? scale.workers : 0,
    pauseReason: pause?.reason ?? '',
    pausedAt: pause && timestampOf(pause.sinceMs),
    lastRefusal: lastRefusal?.message ?? '',
    advice: lastRefusal?.advice ?? '',
    nextSubmitAt: notBeforeMs > atMs ? timestampOf(notBeforeMs) : undefined,
    spentCoreHours: coreHoursOf(spentCoreMs),
    coreHours: limits.coreHours,
  }
}

export function allocationToWire(allocation: Allocation, atMs: number): WireAllocation {
  const { phase } = allocation
  return {
    ...identityToWire(allocation),
    state: phaseStates[phase.kind],
    batchState: '',
    batchReason: phase.kind === 'pending' ? phase.reason : '',
    node: nodeOf(allocation),
    endedAt: undefined,
    expectedStartAt: phase.kind === 'pending' ? timestampIf(allocation.expectedStartMs) : undefined,
    exitCode: undefined,
    signal: undefined,
    explanation: explainAllocation(allocation, atMs),
  }
}

export function endedToWire({ allocation, ending, node, endedAtMs }: EndedAllocation): WireAllocation {
  return {
    ...identityToWire(allocation),
    state: endingStates[ending.kind],
    batchState: ending.slurmState,
    batchReason: ending.slurmReason,
    node,
    endedAt: timestampOf(endedAtMs),
    expectedStartAt: undefined,
    exitCode: ending.exitCode,
    signal: ending.signal,
    explanation: `Allocation ${allocation.id}${allocation.jobId === undefined ? '' : `, job ${allocation.jobId}`} ${ending.text}.`,
  }
}

function identityToWire(allocation: Allocation) {
  const { id, pool, jobId, restarts, submittedAtMs, startedAtMs } = allocation
  return {
    ...{ allocationId: id, pool, jobId: jobId ?? '', restarts },
    workerIds: workersOf(allocation).map(({ workerId }) => workerId),
    submittedAt: timestampOf(submittedAtMs),
    startedAt: timestampIf(startedAtMs),
  }
}

function timestampIf(ms: number | undefined): Timestamp | undefined {
  return ms === undefined ? undefined : timestampOf(ms)
}

function timestampOf(ms: number): Timestamp {
  const seconds = Math.floor(ms / 1000)
  return { seconds: BigInt(seconds), nanos: Math.round((ms - seconds * 1000) * 1e6) }
}
