import { type Allocation, workersOf } from './allocation.js'
import { knownPool } from './apply.js'
import { type End, judgeEnds } from './early-ends.js'
import type { Out } from './effect.js'
import { emit } from './emit.js'
import { endAllocation, endingOf, vanishedEnding } from './endings.js'
import type { EventOf, QueuedJob } from './event.js'
import { meaningOf } from './slurm-state.js'
import { findAllocation, type State, type Submission } from './state.js'

/** How many queue waits are remembered of a pool. */
const keptWaits = 9

/** Compares what SLURM shows with what is known. */
export function hearJobs(state: State, event: EventOf<'jobsListed'>, out: Out): void {
  const { atMs, askedAtMs, jobs, isComplete } = event
  state.queue.seenAtMs = askedAtMs
  state.queue.failures = 0
  state.queue.lastError = undefined
  const ends: End[] = []
  const seen = new Set<Allocation>()
  for (const job of jobs) {
    const allocation = findAllocation(state, job.key, job.index) ?? adopt(state, job, atMs, out)
    if (allocation === undefined) continue
    seen.add(allocation)
    hearJob(state, allocation, job, atMs, ends, out)
  }
  if (isComplete) {
    for (const submission of [...state.submissions.values()]) missJobs(state, submission, seen, event, ends, out)
  }
  judgeEnds(state, ends, atMs, out)
}

/** An empty or senseless answer is not "no jobs": all stays as it was seen last. */
export function loseQueue(state: State, { message }: EventOf<'jobsUnknown'>, out: Out): void {
  const { queue } = state
  queue.failures++
  queue.lastError = message
  if (queue.failures > 1) return
  out.effects.push({
    ...{ kind: 'tell', level: 'warn' },
    text: `SLURM's queue cannot be seen: ${message}; nothing is submitted or cancelled until it can`,
  })
}

/** A job of this mesh that nobody here remembers: from before the journal was lost, or given up for never submitted. */
function adopt(state: State, job: QueuedJob, atMs: number, out: Out): Allocation | undefined {
  const meaning = meaningOf(job.state)
  if (meaning === undefined || typeof meaning === 'object') return undefined
  const { limits } = knownPool(state, job.pool)
  emit(state, out, {
    ...{ kind: 'submitIntended', atMs, pool: job.pool, key: job.key, indices: [job.index] },
    ...{ cores: limits.coresPerAllocation, workers: limits.workersPerAllocation },
  })
  emit(state, out, { kind: 'submitAccepted', key: job.key, jobId: arrayIdOf(job) })
  const text = `job ${job.jobId} of this mesh was not remembered: it is pool ${job.pool}'s again`
  out.effects.push({ kind: 'tell', level: 'warn', text, pool: job.pool, jobId: job.jobId })
  return findAllocation(state, job.key, job.index)
}

function arrayIdOf({ jobId }: QueuedJob): string {
  return jobId.split('_')[0] ?? jobId
}

function hearJob(state: State, allocation: Allocation, job: QueuedJob, atMs: number, ends: End[], out: Out): void {
  const submission = state.submissions.get(job.key)
  if (submission && submission.status.kind !== 'accepted') {
    const wasUnclear = submission.status.kind === 'unclear'
    emit(state, out, { kind: 'submitAccepted', key: job.key, jobId: arrayIdOf(job) })
    if (wasUnclear) {
      const text = `the submit ${job.key} had been accepted after all: job ${arrayIdOf(job)} was found by its key`
      out.effects.push({ kind: 'tell', level: 'info', text, pool: job.pool, jobId: job.jobId })
    }
  }
  allocation.jobId = job.jobId
  allocation.misses = 0
  allocation.expectedStartMs = job.startMs
  const meaning = meaningOf(job.state)
  if (meaning === undefined) return
  if (typeof meaning === 'object') {
    noteStart(state, allocation, job, atMs, out)
    const ending = endingOf(allocation, job, meaning.ended, state.workersAreCurrent)
    ends.push(endAllocation(state, allocation, ending, job.node, atMs, out))
    return
  }
  if (job.restarts > allocation.restarts) restart(allocation, job, out)
  if (meaning === 'pending') {
    // The listing is older than the worker.
    if (allocation.phase.kind === 'registered') return
    const isSame = allocation.phase.kind === 'pending' && allocation.phase.reason === job.reason
    if (!isSame) {
      const sinceMs = allocation.phase.kind === 'pending' ? allocation.phase.sinceMs : atMs
      allocation.phase = { kind: 'pending', reason: job.reason, sinceMs }
    }
    return
  }
  if (meaning === 'ending') return leave(state, allocation, job, atMs, out)
  run(state, allocation, job, atMs, out)
}

/** The same job again: it keeps its id, and its worker is another one. */
function restart(allocation: Allocation, job: QueuedJob, out: Out): void {
  allocation.restarts = job.restarts
  allocation.phase = { kind: 'submitted' }
  const text = `job ${job.jobId} was requeued by SLURM (restart ${job.restarts}); it stays allocation ${allocation.id}`
  out.effects.push({ kind: 'tell', level: 'info', text, pool: job.pool, allocation: allocation.id, jobId: job.jobId })
}

function run(state: State, allocation: Allocation, job: QueuedJob, atMs: number, out: Out): void {
  noteStart(state, allocation, job, atMs, out)
  const { phase } = allocation
  if (phase.kind === 'submitted' || phase.kind === 'pending') {
    allocation.phase = { kind: 'running', node: job.node, sinceMs: atMs }
  } else if (phase.node === '') {
    // Its worker was at the scheduler before the queue showed where it runs.
    allocation.phase = { ...phase, node: job.node }
  }
}

function leave(state: State, allocation: Allocation, job: QueuedJob, atMs: number, out: Out): void {
  noteStart(state, allocation, job, atMs, out)
  if (allocation.phase.kind === 'draining') return
  const reason = 'SLURM ends it'
  allocation.phase = { kind: 'draining', node: job.node, sinceMs: atMs, workers: workersOf(allocation), reason }
}

/** The first time that it runs in this life of the job. */
function noteStart(state: State, allocation: Allocation, job: QueuedJob, atMs: number, out: Out): void {
  if (allocation.startedAtMs !== undefined || job.node === '') return
  allocation.startedAtMs = atMs
  const { pool: name, key, id, submittedAtMs } = allocation
  const pool = state.pools.get(name)
  if (pool) {
    pool.queueWaitsMs.push(Math.max(0, atMs - submittedAtMs))
    if (pool.queueWaitsMs.length > keptWaits) pool.queueWaitsMs.shift()
    pool.hopelessSubmits = 0
  }
  out.effects.push({
    ...{ kind: 'recordQueueWait', pool: name, key, allocation: id, jobId: job.jobId, submittedAtMs, startedAtMs: atMs },
  })
}

/** What a complete listing does not show: gone when the next one does not show it either, and it was asked for late enough. */
function missJobs(
  state: State,
  submission: Submission,
  seen: ReadonlySet<Allocation>,
  { askedAtMs, atMs }: EventOf<'jobsListed'>,
  ends: End[],
  out: Out,
): void {
  const { status, key, openIndices, pool: poolName } = submission
  if (status.kind === 'asked') return
  if (status.kind === 'unclear') {
    if (askedAtMs < status.sinceMs + state.policy.unclearForMs) return
    submission.status = { ...status, looks: status.looks + 1 }
    if (status.looks + 1 < state.policy.mostMisses) return
    emit(state, out, { kind: 'submissionEnded', key })
    const text = `the submit ${key} did not reach SLURM (${status.message}): none of its jobs is in the queue`
    out.effects.push({ kind: 'tell', level: 'warn', text, pool: poolName })
    return
  }
  for (const index of [...openIndices]) {
    const allocation = findAllocation(state, key, index)
    if (allocation === undefined || seen.has(allocation) || askedAtMs < allocation.submittedAtMs) continue
    allocation.misses++
    if (allocation.misses < state.policy.mostMisses) continue
    ends.push(endAllocation(state, allocation, vanishedEnding(allocation), '', atMs, out))
  }
}
