import type { JobId } from '#libs/domain'

import { changeStatus, countNames, rootOf } from './counts.js'
import { demandsOf } from './demand-class.js'
import type { Fact } from './fact.js'
import { findObject, isScattered, type ObjectEntity } from './lookup.js'
import { addFailedAttempt } from './past.js'
import { specBytes } from './spec-size.js'
import type { TaskSpec } from './job-spec.js'
import type { Job, JobRecord, State, Task } from './state.js'

/** What a task takes beside its spec and its result, about. */
const taskOverheadBytes = 400

/** Remembers a fact. The only thing that a restart replays, and the only way in which `decide` changes durable state. */
export function apply(state: State, fact: Fact): void {
  switch (fact.kind) {
    case 'epochRaised':
      state.epoch = fact.epoch
      return
    case 'jobSubmitted':
      addJob(state, fact)
      return
    case 'tasksAdded':
      addTasks(state, jobAt(state, fact.jobId), fact.tasks)
      return
    case 'taskSettled':
      settleTask(state, fact)
      return
    case 'attemptFailed':
      addFailedAttempt(taskAt(state, fact.jobId, fact.index), fact)
      return
    case 'attemptLost':
      loseAttempt(taskAt(state, fact.jobId, fact.index))
      return
    case 'taskSuspected':
      taskAt(state, fact.jobId, fact.index).suspect = true
      return
    case 'taskReopened':
      reopenTask(state, taskAt(state, fact.jobId, fact.index))
      return
    case 'jobCancelled':
      jobAt(state, fact.jobId).cancelled = true
      return
    case 'jobPersisted':
      jobAt(state, fact.jobId).persistedAs = fact.name
      state.persisted.set(fact.name, fact.jobId)
      return
    case 'jobRetired':
      retireJob(state, fact.record)
      return
    case 'jobForgotten':
      forgetJob(state, fact.jobId)
      return
    case 'requestAnswered':
      state.requests.set(fact.requestId, fact.answer)
      return
    case 'requestForgotten':
      state.requests.delete(fact.requestId)
      return
    case 'taskRegistered':
      state.registeredTasks.set(fact.key, fact.function)
      return
    case 'objectStored':
      if (!state.objects.has(fact.objectId)) {
        const { objectId, sessionId, descriptor, byteLength } = fact
        const rest = { holders: new Set<never>(), archive: undefined, dependents: undefined, released: false }
        state.objects.set(objectId, { objectId, sessionId, descriptor, byteLength, ...rest })
      }
      return
    case 'objectArchived':
      archiveEntity(findObject(state, fact.objectId), fact.blobDigest)
      return
    case 'archiveLost':
      archiveEntity(findObject(state, fact.objectId), undefined)
      return
    case 'objectReleased':
      releaseEntity(findObject(state, fact.objectId))
      return
    case 'resultsReleased': {
      const { tasks } = jobAt(state, fact.jobId)
      for (const index of fact.indices) releaseEntity(tasks[index])
      return
    }
    case 'objectForgotten':
      state.objects.delete(fact.objectId)
      return
    case 'workerAttached':
      state.attached.set(fact.workerId, undefined)
      return
    case 'workerConfined':
      state.attached.set(fact.workerId, fact.confinement)
      return
    case 'workerDetached':
      state.attached.delete(fact.workerId)
      return
    case 'hostConfined':
      state.confinedHosts.set(fact.host, fact.confinement)
      return
    case 'hostFreed':
      state.confinedHosts.delete(fact.host)
      return
    default:
      fact satisfies never
  }
}

function addJob(
  state: State,
  { job: spec, requestId, sessionId, number, atMs }: Extract<Fact, { kind: 'jobSubmitted' }>,
): void {
  const parent = spec.parent && state.jobs.get(spec.parent.jobId)?.tasks[spec.parent.index]
  const job: Job = {
    spec,
    number,
    kinds: spec.functions.map(({ bundleDigest, taskName }) => `${bundleDigest}/${taskName}`),
    ...demandsOf(spec),
    lanes: new Map(),
    parent,
    // A job that outlives its parent is the first of a family of its own.
    root: parent && !spec.detached ? rootOf(parent.job) : undefined,
    onWorkers: 0,
    askedBy: spec.parent,
    requestId,
    sessionId,
    submittedAtMs: atMs,
    tasks: [],
    counts: { waiting: 0, queued: 0, running: 0, finished: 0, failed: 0, cancelled: 0 },
    queuedByDemand: new Map(),
    totals: state.counts,
    unreleased: 0,
    bytes: 0,
    settledAtMs: spec.tasks.length === 0 ? atMs : undefined,
    cancelled: false,
    persistedAs: undefined,
    retries: 0,
    followers: new Set(),
  }
  if (parent) (parent.children ??= new Set()).add(job)
  state.jobsSubmitted = Math.max(state.jobsSubmitted, number)
  state.jobs.set(spec.jobId, job)
  state.jobsByRequest.set(requestId, spec.jobId)
  if (spec.deadlineMs !== undefined) state.deadlines.add(job)
  takeTasks(state, job, spec.tasks)
}

/** A job that was written down in parts gets the next one. */
function addTasks(state: State, job: Job, specs: readonly TaskSpec[]): void {
  // The list came from the part before, and nobody else has it.
  const known = job.spec.tasks as TaskSpec[]
  for (const spec of specs) known.push(spec)
  takeTasks(state, job, specs)
}

function takeTasks(state: State, job: Job, specs: readonly TaskSpec[]): void {
  for (const taskSpec of specs) {
    const bytes = specBytes(taskSpec)
    state.unsettledBytes += bytes
    job.bytes += bytes + taskOverheadBytes
    job.tasks.push({
      job,
      index: job.tasks.length,
      spec: taskSpec,
      status: { kind: 'waiting', missing: 0 },
      attempt: 0,
      losses: 0,
      suspect: false,
      lastEnd: undefined,
      past: undefined,
      fetchFailures: 0,
      adoptable: false,
      readyAtMs: job.submittedAtMs,
      dependents: undefined,
      holders: undefined,
      archive: undefined,
      released: false,
      children: undefined,
    })
  }
  job.unreleased += specs.length
  job.counts.waiting += specs.length
  job.totals.waiting += specs.length
}

/** It ended its worker, and would end its neighbours again. */
function loseAttempt(task: Task): void {
  task.losses++
  task.suspect = true
}

function settleTask(state: State, fact: Extract<Fact, { kind: 'taskSettled' }>): void {
  const task = taskAt(state, fact.jobId, fact.index)
  const { counts } = task.job
  if (task.status.kind !== 'settled') state.unsettledBytes -= specBytes(task.spec)
  changeStatus(task, { kind: 'settled', outcome: fact.outcome, record: fact.record })
  task.job.bytes += resultBytes(task)
  task.attempt = Math.max(task.attempt, fact.record.attempt)
  task.suspect = false
  if (counts.waiting + counts.queued + counts.running === 0) task.job.settledAtMs = fact.atMs
  const { outcome } = fact
  const failed = outcome.kind === 'failed' && outcome.failure.kind !== 'cancelled'
  if (failed && task.job.spec.failFast) state.failing.add(task.job)
  if (task.children) state.bereft.add(task)
}

function reopenTask(state: State, task: Task): void {
  state.unsettledBytes += specBytes(task.spec)
  task.job.bytes -= resultBytes(task)
  changeStatus(task, { kind: 'waiting', missing: 0 })
  task.holders = undefined
  task.archive = undefined
  task.job.settledAtMs = undefined
}

function archiveEntity(entity: ObjectEntity | undefined, blobDigest: string | undefined): void {
  if (entity) entity.archive = blobDigest
}

function releaseEntity(entity: ObjectEntity | undefined): void {
  if (entity === undefined || entity.released) return
  entity.released = true
  if (!isScattered(entity)) entity.job.unreleased--
}

/** What the scheduler itself keeps of a result. */
function resultBytes({ status }: Task): number {
  if (status.kind !== 'settled' || status.outcome.kind === 'failed') return 0
  const { result } = status.outcome
  return result.kind === 'inline' ? result.payload.byteLength : result.descriptor.byteLength
}

function retireJob(state: State, record: JobRecord): void {
  // A replay that begins with the record knows no job.
  const job = state.jobs.get(record.spec.jobId)
  if (job) dropJob(state, job)
  state.jobsSubmitted = Math.max(state.jobsSubmitted, record.number)
  state.history.set(record.spec.jobId, record)
}

function forgetJob(state: State, jobId: JobId): void {
  if (state.history.delete(jobId)) return
  dropJob(state, jobAt(state, jobId))
}

function dropJob(state: State, job: Job): void {
  for (const name of countNames) state.counts[name] -= job.counts[name]
  state.jobsByRequest.delete(job.requestId)
  state.jobs.delete(job.spec.jobId)
  state.deadlines.delete(job)
  state.failing.delete(job)
  state.archiving.awaited.delete(job)
  job.parent?.children?.delete(job)
  for (const task of job.tasks) {
    state.bereft.delete(task)
    for (const child of task.children ?? []) disown(child)
  }
}

/** It outlives the task that submitted it. */
function disown(job: Job): void {
  job.parent = undefined
  job.root = undefined
}

/** Forgets the oldest answers with each new one: too old, or too many. */
function jobAt(state: State, jobId: JobId): Job {
  const job = state.jobs.get(jobId)
  if (job === undefined) throw new Error(`a fact names job ${jobId}, which is unknown`)
  return job
}

function taskAt(state: State, jobId: JobId, index: number): Task {
  const task = jobAt(state, jobId).tasks[index]
  if (task === undefined) throw new Error(`a fact names task ${jobId}/${index}, which is unknown`)
  return task
}
