import { taskIdOf, type FailedAttempt as DomainFailedAttempt, type TaskFailure } from '#libs/domain'
import {
  type AttemptRef as WireAttemptRef,
  type Duration,
  ExecutorKind,
  type FailedAttempt,
  type Failure,
  type Job as WireJob,
  JobState,
  ObjectDescriptor,
  type Result,
  type Task as WireTask,
  type TaskSettled,
  TaskState,
  type Timestamp,
  type Worker as WireWorker,
  WorkerState,
  failureKindToWire,
} from '#libs/proto'

import { countVolatile } from '../core/archives.js'
import { etagOf } from '../core/etag.js'
import type { AttemptRef } from '../core/event.js'
import type { ObjectEntity } from '../core/lookup.js'
import { isOnWorker } from '../core/slots.js'
import type { Job, JobRecord, ResultLocation, State, Task, WorkerView } from '../core/state.js'

export function failureToWire(failure: TaskFailure): Failure {
  return {
    kind: failureKindToWire(failure.kind),
    reason: failure.reason,
    message: failure.message,
    errorName: failure.errorName ?? '',
    stack: failure.stack ?? '',
    workerId: failure.workerId ?? '',
    attempts: failure.attempts ?? 0,
    history: (failure.history ?? []).map(failedAttemptToWire),
    cause: failure.cause && failureToWire(failure.cause),
    taskId: failure.taskId ?? '',
    taskName: failure.taskName ?? '',
  }
}

const noRefs: WireAttemptRef[] = []

/** An attempt as commands name it. */
export function attemptToWire({ jobId, index, epoch, attempt }: AttemptRef): WireAttemptRef {
  return { taskId: `${jobId}/${index}`, epoch: BigInt(epoch), attempt, running: false, behind: noRefs }
}

function failedAttemptToWire(attempt: DomainFailedAttempt): FailedAttempt {
  return { ...attempt, kind: failureKindToWire(attempt.kind) }
}

/** A result with the workers that hold it, and its blob in the checkpoint-store. */
export function resultToWire(
  state: State,
  result: ResultLocation,
  { holders, archive }: Pick<ObjectEntity, 'holders' | 'archive'>,
): Result {
  if (result.kind === 'inline') {
    return { location: { $case: 'payload', value: result.payload as Buffer }, holders: [] }
  }
  const linked = [...(holders ?? [])].flatMap((id) => state.workers.get(id as never) ?? [])
  return {
    location: { $case: 'object', value: ObjectDescriptor.decode(result.descriptor) },
    holders: linked.map(({ profile }) => ({ workerId: profile.workerId, addresses: [...profile.addresses] })),
    ...(archive !== undefined && { blobDigest: archive }),
  }
}

export function settledToWire(state: State, task: Task): TaskSettled | undefined {
  const { status } = task
  // A result can be lost again between the decision and its delivery; the next settle will tell.
  if (status.kind !== 'settled') return undefined
  const { outcome, record } = status
  return {
    index: task.index,
    attempt: record.attempt,
    outcome:
      outcome.kind === 'finished'
        ? { $case: 'result', value: resultToWire(state, outcome.result, task) }
        : { $case: 'failure', value: failureToWire(outcome.failure) },
    workerId: record.workerId ?? '',
    slot: record.slot,
    startedAtMs: record.startedAtMs,
    endedAtMs: record.endedAtMs,
  }
}

/** About how many bytes a settled task's outcome takes in a message. */
export function outcomeBytes({ status }: Task): number {
  if (status.kind !== 'settled') return 0
  const { outcome } = status
  if (outcome.kind === 'failed') return failureBytes(outcome.failure)
  return outcome.result.kind === 'inline' ? outcome.result.payload.byteLength : outcome.result.descriptor.byteLength
}

function failureBytes({ message, stack, history = [], cause }: TaskFailure): number {
  const before = history.reduce((sum, attempt) => sum + attempt.message.length, 0)
  return message.length + (stack?.length ?? 0) + before + (cause ? failureBytes(cause) : 0)
}

export function jobStateOf({ settledAtMs, cancelled, counts }: ShownJob): JobState {
  if (settledAtMs === undefined) return JobState.RUNNING
  if (cancelled) return JobState.CANCELLED
  return counts.failed + counts.cancelled > 0 ? JobState.FAILED : JobState.FINISHED
}

type ShownJob = Job | JobRecord

/** A job, or what is left of one. */
export function jobToWire(state: State, job: ShownJob): WireJob {
  const { spec, submittedAtMs, settledAtMs } = job
  return {
    jobId: spec.jobId,
    name: spec.name,
    state: jobStateOf(job),
    counts: { ...job.counts },
    submittedAt: timestampOf(submittedAtMs),
    settledAt: settledAtMs === undefined ? undefined : timestampOf(settledAtMs),
    traceId: /^00-([0-9a-f]{32})-/.exec(spec.trace['traceparent'] ?? '')?.[1] ?? '',
    detached: spec.detached,
    etag: etagOf(job),
    parentTaskId: spec.parent ? taskIdOf(spec.parent.jobId, spec.parent.index) : '',
    volatileResults: 'tasks' in job ? countVolatile(state, job) : 0,
  }
}

export function taskStateOf({ status }: Task): TaskState {
  switch (status.kind) {
    case 'waiting':
    case 'delayed':
    case 'awaiting':
      return TaskState.WAITING
    case 'queued':
      return TaskState.QUEUED
    case 'assigned':
      return TaskState.ASSIGNED
    case 'running':
      return TaskState.RUNNING
    case 'settled':
      if (status.outcome.kind === 'finished') return TaskState.FINISHED
      return status.outcome.failure.kind === 'cancelled' ? TaskState.CANCELLED : TaskState.FAILED
    default:
      return status satisfies never
  }
}

export function taskToWire(state: State, task: Task): WireTask {
  const { status } = task
  const settled = status.kind === 'settled' ? status : undefined
  const onWorker = isOnWorker(status) ? status.workerId : undefined
  const ran = status.kind === 'running' || status.kind === 'awaiting' ? status : settled?.record
  const outcome = settled?.outcome
  return {
    taskId: taskIdOf(task.job.spec.jobId, task.index),
    name: task.spec.name,
    state: taskStateOf(task),
    attempt: task.attempt,
    workerId: onWorker ?? settled?.record.workerId ?? '',
    result: outcome?.kind === 'finished' ? resultToWire(state, outcome.result, task) : undefined,
    failure: outcome?.kind === 'failed' ? failureToWire(outcome.failure) : undefined,
    startedAtMs: ran?.startedAtMs ?? 0,
    endedAtMs: settled?.record.endedAtMs ?? 0,
    failedAttempts: (task.past?.history ?? []).map(failedAttemptToWire),
    retryAt: status.kind === 'delayed' && status.why === 'retry' ? timestampOf(status.untilMs) : undefined,
  }
}

export function workerToWire(worker: WorkerView): WireWorker {
  const { profile, taskCount, awaitingCount = 0, objectCount, quarantine, pulse, used = {} } = worker
  return {
    workerId: profile.workerId,
    host: profile.host,
    pid: profile.pid,
    slots: profile.slots,
    assignedTasks: taskCount,
    waitingTasks: awaitingCount,
    addresses: [...profile.addresses],
    heldObjects: objectCount,
    state: workerStateOf(worker),
    rssBytes: BigInt(pulse.rssBytes),
    heldBytes: BigInt(pulse.heldBytes),
    spilledBytes: BigInt(pulse.spilledBytes),
    memoryLimitBytes: BigInt(profile.memoryLimitBytes),
    executor: profile.executor === 'process' ? ExecutorKind.PROCESS : ExecutorKind.THREAD,
    loopLagMs: pulse.loopLagMs,
    ...(pulse.peakRssBytes ? { peakRssBytes: BigInt(pulse.peakRssBytes) } : {}),
    quarantineReason: quarantine?.why ?? '',
    quarantinedUntil: quarantine && timestampOf(quarantine.untilMs),
    resources: new Map(Object.entries(profile.resources ?? {})),
    usedResources: new Map(Object.entries(used)),
    allocation: profile.allocation,
    endsAt: profile.endsAtMs === undefined ? undefined : timestampOf(profile.endsAtMs),
  }
}

function workerStateOf({ draining, quarantine, pulse }: WorkerView): WorkerState {
  if (draining) return WorkerState.DRAINING
  if (quarantine) return WorkerState.QUARANTINED
  return pulse.isPaused ? WorkerState.PAUSED : WorkerState.READY
}

/** A span of time as it travels. */
export function durationOf(ms: number): Duration {
  return timestampOf(ms)
}

/** A point in time as it travels. */
export function timestampOf(ms: number): Timestamp {
  const seconds = Math.floor(ms / 1000)
  return { seconds: BigInt(seconds), nanos: Math.round((ms - seconds * 1000) * 1e6) }
}
