import { act, drainAllocations } from './act.js'
import { knownPool } from './apply.js'
import { lullEndMs } from './desire.js'
import { readmitNodes } from './early-ends.js'
import type { Out } from './effect.js'
import { emit } from './emit.js'
import type { Event, EventOf } from './event.js'
import { noteFailedSubmit } from './failed-submits.js'
import { hearJobs, loseQueue } from './observe-queue.js'
import { hearDrain, hearWorkers } from './observe-workers.js'
import { createPool } from './pool.js'
import type { State } from './state.js'

/**
 * The whole provisioner: the same state and the same event always give the same facts and effects. Mutates `state` and appends
 * to `out`. Whatever was heard, what follows is what lies between the desired and the observed level: an event that was lost
 * costs nothing, the next one repairs it.
 */
export function reconcile(state: State, event: Event, out: Out): void {
  hear(state, event, out)
  readmitNodes(state, event.atMs, out)
  act(state, event.atMs, out)
}

function hear(state: State, event: Event, out: Out): void {
  switch (event.kind) {
    case 'started':
      return start(state, event)
    case 'demandHeard':
      return hearDemand(state, event)
    case 'demandLost':
      return loseDemand(state)
    case 'workersListed':
      return hearWorkers(state, event, out)
    case 'workerDrains':
      return hearDrain(state, event)
    case 'workersUnknown':
      state.workersAreCurrent = false
      return
    case 'jobsListed':
      return hearJobs(state, event, out)
    case 'jobsUnknown':
      return loseQueue(state, event, out)
    case 'submitAccepted':
      return acceptSubmit(state, event, out)
    case 'submitRefused':
      return refuseSubmit(state, event, out)
    case 'submitUnclear':
      return loseSubmit(state, event, out)
    case 'poolsDefined':
      return definePools(state, event, out)
    case 'poolScaled':
      return emit(state, out, { kind: 'poolScaled', pool: event.pool, scale: event.scale })
    case 'poolPaused': {
      const pause = { sinceMs: event.atMs, by: 'operator', reason: event.reason } as const
      return emit(state, out, { kind: 'poolPaused', pool: event.pool, pause })
    }
    case 'poolResumed':
      return resume(state, event.pool, out)
    case 'drainRequested':
      return drainAllocations(state, event, out)
    case 'stopRequested':
      state.isStopping = true
      // The end waits for nothing.
      state.nextBurstAtMs = 0
      return
    case 'timePassed':
      return
    default:
      return event satisfies never
  }
}

/** When `timePassed` has to be said next, in ms since the Unix epoch; nothing while time changes nothing. */
export function nextDeadlineMs(state: State, atMs: number): number | undefined {
  const deadlines = [...state.pools.values()].flatMap((pool) => [lullEndMs(pool), pool.notBeforeMs])
  const later = [...deadlines, state.nextBurstAtMs].filter((time): time is number => time !== undefined && time > atMs)
  return later.length > 0 ? Math.min(...later) : undefined
}

/** What was asked of SLURM before the restart may have happened or not. */
function start(state: State, { atMs }: EventOf<'started'>): void {
  state.startedAtMs = atMs
  for (const submission of state.submissions.values()) {
    if (submission.status.kind !== 'asked') continue
    submission.status = { kind: 'unclear', sinceMs: atMs, message: 'the provisioner was started again', looks: 0 }
  }
}

function hearDemand(state: State, { wantedSlots, work }: EventOf<'demandHeard'>): void {
  state.demandIsCurrent = true
  state.demand = { wantedSlots, work }
}

/** A level that nobody vouches for is no reason to let workers go. */
function loseDemand(state: State): void {
  state.demandIsCurrent = false
  for (const pool of state.pools.values()) pool.lull = undefined
}

function acceptSubmit(state: State, { key, jobId }: EventOf<'submitAccepted'>, out: Out): void {
  const submission = state.submissions.get(key)
  if (submission === undefined) return
  if (submission.status.kind !== 'accepted') emit(state, out, { kind: 'submitAccepted', key, jobId })
  const pool = state.pools.get(submission.pool)
  if (pool === undefined) return
  pool.failedSubmits = 0
  pool.lastRefusal = undefined
}

function refuseSubmit(state: State, { key, refusal, atMs }: EventOf<'submitRefused'>, out: Out): void {
  const submission = state.submissions.get(key)
  if (submission === undefined || submission.status.kind === 'accepted') return
  emit(state, out, { kind: 'submissionEnded', key })
  const pool = knownPool(state, submission.pool)
  pool.failedSubmits++
  noteFailedSubmit(state, pool, refusal, pool.failedSubmits, { atMs, out })
}

function loseSubmit(state: State, { key, message, atMs }: EventOf<'submitUnclear'>, out: Out): void {
  const submission = state.submissions.get(key)
  if (submission?.status.kind !== 'asked') return
  submission.status = { kind: 'unclear', sinceMs: atMs, message, looks: 0 }
  const text = `it is unclear whether SLURM took the submit ${key} (${message}): its jobs are looked for before any other submit`
  out.effects.push({ kind: 'tell', level: 'warn', text, pool: submission.pool })
}

/** The pools file as it is now; a pool that has changed begins anew. */
function definePools(state: State, { pools }: EventOf<'poolsDefined'>, out: Out): void {
  const known = new Map(state.pools)
  state.pools.clear()
  for (const limits of pools) {
    const pool = known.get(limits.name) ?? createPool(limits)
    known.delete(limits.name)
    state.pools.set(limits.name, pool)
    pool.limits = limits
    pool.isRemoved = false
    pool.failedSubmits = 0
    pool.hopelessSubmits = 0
    pool.neverRegistered = 0
    pool.notBeforeMs = 0
    if (pool.pause?.by === 'provisioner') emit(state, out, { kind: 'poolResumed', pool: limits.name })
  }
  for (const [name, pool] of known) {
    pool.isRemoved = true
    state.pools.set(name, pool)
  }
}

function resume(state: State, name: string, out: Out): void {
  emit(state, out, { kind: 'poolResumed', pool: name })
  const pool = knownPool(state, name)
  pool.failedSubmits = 0
  pool.hopelessSubmits = 0
  pool.neverRegistered = 0
  pool.notBeforeMs = 0
}
