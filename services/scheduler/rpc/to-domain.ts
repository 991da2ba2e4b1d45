import { randomUUID } from 'node:crypto'

import {
  isJobId,
  type JobId,
  type ObjectId,
  parseTaskId,
  type SessionId,
  type TaskFailure,
  type WorkerId,
} from '#libs/domain'
import {
  type AttemptRef as WireAttemptRef,
  type Duration,
  ExecutorKind,
  type Failure,
  type FunctionRef,
  type JobParent,
  type JobSpec as WireJobSpec,
  encodeDescriptor,
  type ObjectDescriptor,
  type ObjectsStored,
  Payload,
  ProfileKind,
  type Reference,
  type TaskEnded,
  type TaskStarted,
  type TaskSpec as WireTaskSpec,
  type WorkerEnd as WireWorkerEnd,
  type WorkerHeartbeat,
  type WorkerHello,
  failureKindFromWire,
} from '#libs/proto'
import { rpcError } from '#libs/rpc'
import { inspectValue, MalformedValueError } from '#libs/value'

import type { AttemptEnd, AttemptRef, HeldObject, ListedAttempt, StoredReport } from '../core/event.js'
import type { BundledFunction, JobSpec, TaskSpec } from '../core/job-spec.js'
import type { WorkerPulse } from '../core/pulse.js'
import type { State, WorkerEnd, WorkerProfile } from '../core/state.js'
import { endingToDomain, retryPolicyOfTask } from './ending-to-domain.js'
import { durationMs, invalid } from './invalid.js'
import { needsOfTask, needsToDomain, offerToDomain } from './needs.js'

/** A job has at most this many tasks, and a task's input this many bytes: larger inputs go to the checkpoint-store. */
export const maxTasksPerJob = 2_000_000
const maxInputBytes = 1 << 20
const maxFunctions = 10_000
const maxTraceBytes = 8 * 1_024
const maxTaskNameLength = 1_024
const maxEtagLength = 1_024

const digestPattern = /^[0-9a-f]{64}$/

/** Wire to domain; the only place that says INVALID_ARGUMENT for a job. */
export function jobToDomain(state: State, job: WireJobSpec): JobSpec {
  if (job.jobId !== '' && !isJobId(job.jobId)) {
    throw invalid(
      'BAD_JOB_ID',
      `job_id '${job.jobId.slice(0, 64)}' must have at most 64 characters of a-z, 0-9 and -, and start with no -`,
      'job.job_id',
    )
  }
  if (job.tasks.length === 0) throw invalid('NO_TASKS', 'a job needs at least one task', 'job.tasks')
  if (job.tasks.length > maxTasksPerJob) {
    throw invalid('TOO_MANY_TASKS', `a job has at most ${maxTasksPerJob} tasks, not ${job.tasks.length}`, 'job.tasks')
  }
  if (job.functions.length > maxFunctions) {
    const message = `a job has at most ${maxFunctions} functions, not ${job.functions.length}`
    throw invalid('TOO_MANY_FUNCTIONS', message, 'job.functions')
  }
  const trace = Object.fromEntries(job.trace)
  const traceBytes = Buffer.byteLength(JSON.stringify(trace))
  if (traceBytes > maxTraceBytes) {
    throw invalid('TRACE_TOO_LARGE', `the trace context has ${traceBytes} bytes, at most ${maxTraceBytes}`, 'job.trace')
  }
  const needs = needsToDomain(job.needs)
  const jobId = (job.jobId || `j-${randomUUID().replaceAll('-', '').slice(0, 16)}`) as JobId
  return {
    jobId,
    name: job.name.slice(0, 256),
    functions: job.functions.map((ref, index) => functionToDomain(state, ref, index)),
    tasks: tasksToDomain(jobId, job.tasks, 0, { needs: needs.length, retryPolicies: job.retryPolicies.length }),
    ...(needs.length > 0 ? { needs } : {}),
    seed: job.seed,
    trace,
    detached: job.detached,
    ...(job.profile === ProfileKind.CPU && { profile: 'cpu' as const }),
    ...endingToDomain(job),
  }
}

/** How many needs and retry policies a job says, which its tasks name by their numbers. */
export interface SaidOnce {
  readonly needs: number
  readonly retryPolicies: number
}

/** Tasks of a job, the first of them with this index. */
export function tasksToDomain(
  jobId: JobId,
  tasks: readonly WireTaskSpec[],
  firstIndex: number,
  said: SaidOnce,
): TaskSpec[] {
  return tasks.map((task, i) => taskToDomain(jobId, task, firstIndex + i, said))
}

function taskToDomain(jobId: JobId, task: WireTaskSpec, index: number, said: SaidOnce): TaskSpec {
  const field = `job.tasks[${index}].input`
  if (task.input.byteLength > maxInputBytes) {
    const message = `the input of task ${index} has ${task.input.byteLength} bytes, at most ${maxInputBytes} are taken: put it into the checkpoint-store as a blob and refer to it`
    throw invalid('INPUT_TOO_LARGE', message, field)
  }
  const dependencies = new Set<ObjectId>()
  try {
    const { root, body } = Payload.decode(task.input)
    if (root?.kind?.$case !== 'list') throw new MalformedValueError('the root must be the list of arguments')
    inspectValue(root, body.byteLength, (reference) => addDependency(dependencies, jobId, reference))
  } catch (error) {
    throw invalid('BAD_INPUT', `the input of task ${index} is malformed: ${(error as Error).message}`, field)
  }
  return {
    functionIndex: task.function,
    input: task.input,
    dependencies: [...dependencies],
    name: task.name.slice(0, 256),
    timeoutMs: timeoutToDomain(task.timeout, index),
    ...needsOfTask(task.needs, said.needs, index),
    ...retryPolicyOfTask(task.retryPolicy, said.retryPolicies, index),
  }
}

function timeoutToDomain(timeout: Duration | undefined, index: number): number | undefined {
  if (timeout === undefined) return undefined
  const ms = durationMs(timeout)
  if (ms > 0) return ms
  const message = `the timeout of task ${index} is ${ms} ms: leave it out for no limit`
  throw invalid('BAD_TIMEOUT', message, `job.tasks[${index}].timeout`)
}

function addDependency(dependencies: Set<ObjectId>, jobId: JobId, { target }: Reference): void {
  switch (target?.$case) {
    case 'objectId':
      dependencies.add(target.value as ObjectId)
      return
    case 'taskIndex':
      dependencies.add(`${jobId}/${target.value}` as ObjectId)
      return
    case 'blob':
      if (!digestPattern.test(target.value.digest))
        throw new MalformedValueError('a blob is named by no SHA-256 digest')
      inspectValue(target.value.structure, Number(target.value.byteLength), () => {
        throw new MalformedValueError('a value in a blob refers to another object')
      })
      return
    case undefined:
      throw new MalformedValueError('a reference names nothing')
    default:
      target satisfies never
  }
}

function functionToDomain(state: State, { function: ref }: FunctionRef, index: number): BundledFunction {
  const field = `job.functions[${index}]`
  switch (ref?.$case) {
    case 'bundled':
      return bundledToDomain(ref.value, field)
    case 'registered': {
      const { name, version } = ref.value
      const found = version === '' ? newestVersion(state, name) : state.registeredTasks.get(`${name}@${version}`)
      if (found) return found
      const known = [...state.registeredTasks.keys()].join(', ') || 'none'
      const called = version === '' ? name : `${name}@${version}`
      const message = `no task ${called} is registered; known: ${known}`
      const resource = { type: 'costate.registeredTask', name: called }
      const fieldViolations = [{ field, description: message }]
      throw rpcError('NOT_FOUND', 'TASK_NOT_REGISTERED', message, { resource, fieldViolations })
    }
    case undefined:
      throw invalid('NO_FUNCTION', `function ${index} is empty: give a bundled or a registered one`, field)
    default:
      return ref satisfies never
  }
}

export function bundledToDomain(bundled: BundledFunction | undefined, field: string): BundledFunction {
  const isNamed = bundled && bundled.taskName !== '' && bundled.taskName.length <= maxTaskNameLength
  if (!isNamed || !digestPattern.test(bundled.bundleDigest)) {
    const message = `a bundled function needs the SHA-256 digest of its bundle and a task name of at most ${maxTaskNameLength} characters`
    throw invalid('BAD_FUNCTION', message, field)
  }
  return { bundleDigest: bundled.bundleDigest, taskName: bundled.taskName }
}

// Maps keep the order of registration.
function newestVersion(state: State, name: string): BundledFunction | undefined {
  return [...state.registeredTasks].reverse().find(([key]) => key.slice(0, key.lastIndexOf('@')) === name)?.[1]
}

/** The etag that a job must still have; empty for any. */
export function etagToDomain(etag: string): { readonly etag?: string } {
  if (etag.length > maxEtagLength) throw invalid('BAD_ETAG', 'etag is none of ours: take it from a job', 'etag')
  return etag === '' ? {} : { etag }
}

export function profileToDomain(hello: WorkerHello): WorkerProfile {
  if (hello.workerId === '' || hello.slots > 4096 || hello.addresses.length === 0) {
    const message = 'a worker needs an id, at most 4096 slots and an address'
    throw invalid('BAD_WORKER', message, 'hello')
  }
  return {
    workerId: hello.workerId as WorkerId,
    host: hello.host,
    pid: hello.pid,
    slots: hello.slots,
    addresses: hello.addresses,
    memoryLimitBytes: Number(hello.memoryLimitBytes),
    executor: hello.executor === ExecutorKind.PROCESS ? 'process' : 'thread',
    resources: offerToDomain(hello.resources),
    ...(hello.allocation ? { allocation: hello.allocation } : {}),
    ...(hello.endsAt ? { endsAtMs: Number(hello.endsAt.seconds) * 1000 } : {}),
  }
}

/** How the worker ended whose place another one takes. */
export function predecessorToDomain(end: WireWorkerEnd | undefined): WorkerEnd | undefined {
  if (end === undefined || end.workerId === '') return undefined
  const { exitCode, signal } = end
  const memory = { bytes: Number(end.memoryBytes), limitBytes: Number(end.memoryLimitBytes) }
  return {
    workerId: end.workerId as WorkerId,
    ...(exitCode === undefined ? {} : { exitCode }),
    ...(signal === '' ? {} : { signal: signal.slice(0, 32) }),
    ...(memory.bytes > 0 ? { memory } : {}),
  }
}

/** A report of scattered objects. Session ids are UUIDs: a client may write its own in capitals. */
export function storedToDomain({ requestId, sessionId, objects }: ObjectsStored): StoredReport {
  const session = sessionId === '' ? undefined : (sessionId.toLowerCase() as SessionId)
  return { requestId, sessionId: session, objects: objects.map(heldToDomain) }
}

/** An attempt that a report names, or nothing when it names no task. */
export function attemptToDomain(ref: WireAttemptRef | undefined): AttemptRef | undefined {
  const id = ref && parseTaskId(ref.taskId)
  if (ref === undefined || id === undefined) return undefined
  // One literal without a spread, here and below: each end of a task comes this way, and a spread costs it a microsecond.
  const { jobId, index } = id
  return { jobId, index, epoch: Number(ref.epoch), attempt: ref.attempt }
}

/** Attempts that began to run. */
export function startsToDomain(starts: readonly TaskStarted[]): (AttemptRef & { readonly startedAtMs: number })[] {
  return starts.flatMap(({ attempt, atMs }) => {
    const ref = attemptToDomain(attempt)
    return ref ? { ...ref, startedAtMs: atMs } : []
  })
}

/** An attempt as a worker lists it; one of which not all is understood is none. */
export function listedToDomain(ref: WireAttemptRef): ListedAttempt | undefined {
  const attempt = attemptToDomain(ref)
  const behind = ref.behind.flatMap((input) => attemptToDomain(input) ?? [])
  if (attempt === undefined || behind.length < ref.behind.length) return undefined
  const { running, wait = 0, waitOver = false } = ref
  return { ...attempt, running, behind, ...(wait > 0 && { wait, isOver: waitOver }) }
}

/** The attempt that submits a job; nothing for a client's. */
export function parentToDomain(parent: JobParent | undefined): AttemptRef | undefined {
  if (parent === undefined) return undefined
  const id = parseTaskId(parent.taskId)
  if (id) return { ...id, epoch: Number(parent.epoch), attempt: parent.attempt }
  const message = `the parent '${parent.taskId.slice(0, 128)}' names no task: give the id of its job, a slash and its index`
  throw invalid('BAD_PARENT', message, 'job.parent.task_id')
}

export function endToDomain(ended: TaskEnded): AttemptEnd | undefined {
  const ref = attemptToDomain(ended.attempt)
  if (ref === undefined || ended.outcome === undefined) return undefined
  const { jobId, index, epoch, attempt } = ref
  const { startedAtMs, endedAtMs, slot, savedCheckpoint, fetchMs = 0 } = ended
  return {
    ...{ jobId, index, epoch, attempt, outcome: outcomeToDomain(ended.outcome), startedAtMs, endedAtMs, slot },
    ...(savedCheckpoint && { savedCheckpoint }),
    ...(fetchMs > 0 && { fetchMs }),
  }
}

function outcomeToDomain(outcome: NonNullable<TaskEnded['outcome']>): AttemptEnd['outcome'] {
  switch (outcome.$case) {
    case 'payload':
      return { kind: 'finished', result: { kind: 'inline', payload: outcome.value } }
    case 'object': {
      const { descriptor, byteLength } = heldToDomain(outcome.value)
      return { kind: 'finished', result: { kind: 'object', descriptor, byteLength } }
    }
    case 'failure':
      return { kind: 'failed', failure: failureToDomain(outcome.value) }
    default:
      return outcome satisfies never
  }
}

export function pulseToDomain(heartbeat: WorkerHeartbeat): WorkerPulse {
  const {
    rssBytes,
    heldBytes,
    spilledBytes,
    loopLagMs,
    paused,
    peakRssBytes = 0n,
    fetchBytesPerSecond = 0n,
  } = heartbeat
  return {
    ...{ rssBytes: Number(rssBytes), heldBytes: Number(heldBytes), spilledBytes: Number(spilledBytes) },
    ...{ loopLagMs, isPaused: paused, peakRssBytes: Number(peakRssBytes) },
    fetchBytesPerSecond: Number(fetchBytesPerSecond),
  }
}

export function heldToDomain(descriptor: ObjectDescriptor): HeldObject {
  return {
    objectId: descriptor.objectId as ObjectId,
    descriptor: encodeDescriptor(descriptor),
    byteLength: Number(descriptor.byteLength),
  }
}

function failureToDomain(failure: Failure): TaskFailure {
  return {
    kind: failureKindFromWire(failure.kind) ?? 'userError',
    reason: failure.reason,
    message: failure.message,
    ...(failure.errorName ? { errorName: failure.errorName } : {}),
    ...(failure.stack ? { stack: failure.stack } : {}),
    ...(failure.cause ? { cause: failureToDomain(failure.cause) } : {}),
  }
}
