import { allocationIdOf } from './allocation.js'
import type { Fact, FactOf } from './fact.js'
import { createPool, type Pool, type PoolLimits } from './pool.js'
import { findAllocation, type State } from './state.js'

/** Remembers a fact. The only thing that a restart replays, and the only way in which `reconcile` changes durable state. */
export function apply(state: State, fact: Fact): void {
  switch (fact.kind) {
    case 'submitIntended':
      return intendSubmit(state, fact)
    case 'submitAccepted':
      return acceptSubmit(state, fact)
    case 'allocationRegistered': {
      const allocation = findAllocation(state, fact.key, fact.index)
      if (allocation) allocation.wasRegistered = true
      return
    }
    case 'allocationEnded':
      state.submissions.get(fact.key)?.openIndices.delete(fact.index)
      state.allocations.delete(allocationIdOf(fact.key, fact.index))
      return
    case 'submissionEnded':
      for (const index of state.submissions.get(fact.key)?.openIndices ?? []) {
        state.allocations.delete(allocationIdOf(fact.key, index))
      }
      state.submissions.delete(fact.key)
      return
    case 'poolScaled':
      knownPool(state, fact.pool).scale = fact.scale
      return
    case 'poolPaused':
      knownPool(state, fact.pool).pause = fact.pause
      return
    case 'poolResumed':
      knownPool(state, fact.pool).pause = undefined
      return
    case 'coreTimeSpent':
      knownPool(state, fact.pool).spentCoreMs = fact.totalCoreMs
      return
    case 'nodeExcluded':
      state.nodes.set(fact.node, { failures: 0, excluded: { untilMs: fact.untilMs, reason: fact.reason } })
      return
    case 'nodeReadmitted':
      state.nodes.delete(fact.node)
      return
    default:
      fact satisfies never
  }
}

/** A pool that facts or jobs speak of, and that the pools file names no more, is there to lose what it has. */
export function knownPool(state: State, name: string): Pool {
  let pool = state.pools.get(name)
  if (pool === undefined) {
    pool = { ...createPool({ ...goneLimits, name }), isRemoved: true }
    state.pools.set(name, pool)
  }
  return pool
}

const goneLimits: Omit<PoolLimits, 'name'> = {
  minWorkers: 0,
  maxWorkers: 0,
  slotsPerWorker: 1,
  workersPerAllocation: 1,
  coresPerAllocation: 1,
  walltimeMs: 0,
  idleTimeoutMs: 0,
  maxPending: 0,
  maxJobs: 0,
  array: true,
  registerTimeoutMs: 0,
  pendingTimeoutMs: 0,
  maxFailedSubmits: 1,
  maxNeverRegistered: 1,
  targetDurationMs: 0,
  coreHours: undefined,
}

function intendSubmit(state: State, { atMs, pool, key, indices, cores, workers }: FactOf<'submitIntended'>): void {
  knownPool(state, pool)
  let submission = state.submissions.get(key)
  if (submission === undefined) {
    submission = { key, pool, atMs, status: { kind: 'asked' }, isArray: indices.length > 1, openIndices: new Set() }
    state.submissions.set(key, submission)
  }
  for (const index of indices) {
    submission.openIndices.add(index)
    const id = allocationIdOf(key, index)
    state.allocations.set(id, {
      ...{ id, pool, key, index, cores, workers, submittedAtMs: atMs, jobId: undefined, phase: { kind: 'submitted' } },
      ...{ restarts: 0, startedAtMs: undefined, wasRegistered: false, cancel: undefined },
      ...{ drainToldAtMs: undefined, misses: 0, expectedStartMs: undefined },
    })
  }
}

function acceptSubmit(state: State, { key, jobId }: FactOf<'submitAccepted'>): void {
  const submission = state.submissions.get(key)
  if (submission === undefined) return
  submission.status = { kind: 'accepted', jobId }
  for (const index of submission.openIndices) {
    const allocation = findAllocation(state, key, index)
    if (allocation) allocation.jobId ??= submission.isArray ? `${jobId}_${index}` : jobId
  }
}
