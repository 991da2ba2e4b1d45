import {
  defaultBackoff,
  type FailedAttempt,
  retryableKinds,
  type RetryableKind,
  retryDelayMs,
  type RetryPolicy,
  type TaskFailure,
} from '#libs/domain'

import { emit } from './emit.js'
import type { Out } from './effect.js'
import { awaitInputs } from './inputs.js'
import { chargesOf } from './past.js'
import { kindOf } from './slots.js'
import type { State, Task } from './state.js'

/** A module that loads elsewhere is tried so often where it does not. */
const maxBundleAttempts = 3

/** An attempt that failed. */
export interface EndedAttempt {
  readonly epoch: number
  readonly failed: FailedAttempt
  /** Its worker said so; else the worker is lost, and may come back with it. */
  readonly over: boolean
}

/** What happened to an attempt, in short. */
export function failedAttempt(
  { kind, reason, message }: TaskFailure,
  where: Pick<FailedAttempt, 'attempt' | 'workerId' | 'startedAtMs' | 'endedAtMs'>,
): FailedAttempt {
  const { attempt, workerId, startedAtMs, endedAtMs } = where
  return { attempt, workerId, startedAtMs, endedAtMs, kind, reason, message }
}

/**
 * After an attempt that failed: the task is tried again, later, when its policy allows. Returns whether it is; else the
 * caller settles it.
 */
export function tryAgain(state: State, task: Task, ended: EndedAttempt, atMs: number, out: Out): boolean {
  const charged = chargeOf(ended.failed)
  const retryAtMs = charged && retryTimeOf(state, task, charged, atMs)
  // Of a task that fails with its first attempt the failure says everything.
  if (retryAtMs !== undefined || task.past) noteAttempt(state, task, ended, charged, retryAtMs, out)
  if (retryAtMs === undefined) return false
  awaitInputs(state, task, atMs, out)
  return true
}

/** An attempt failed, and nobody knows whether its task is to blame. */
export function noteUncharged(state: State, task: Task, ended: EndedAttempt, out: Out): void {
  noteAttempt(state, task, ended, undefined, undefined, out)
}

/** The failure of a task, with the attempts before when there were some. */
export function withHistory(task: Task, failure: TaskFailure): TaskFailure {
  const history = task.past?.history
  return history ? { ...failure, history } : failure
}

function noteAttempt(
  state: State,
  task: Task,
  { epoch, failed, over }: EndedAttempt,
  charged: RetryableKind | undefined,
  retryAtMs: number | undefined,
  out: Out,
): void {
  const { index, job } = task
  emit(state, out, { kind: 'attemptFailed', jobId: job.spec.jobId, index, epoch, failed, charged, over, retryAtMs })
}

function chargeOf({ kind }: FailedAttempt): RetryableKind | undefined {
  return retryableKinds.find((retryable) => retryable === kind)
}

/** When the task is tried again, or nothing when it is not. */
function retryTimeOf(state: State, task: Task, kind: RetryableKind, atMs: number): number | undefined {
  const { retry: ofJob, deadlineMs, jobId, seed } = task.job.spec
  const retry = retryPolicyOf(task)
  if (ofJob?.budget !== undefined && task.job.retries >= ofJob.budget) return undefined
  if (attemptsOf(task, kind) + 1 >= limitOf(state, task, kind)) return undefined
  const number = chargesOf(task, ...retryableKinds) + 1
  // Without a policy what lost its worker goes elsewhere at once.
  const delayMs =
    retry === undefined && isLoss(kind)
      ? 0
      : retryDelayMs(retry ?? defaultBackoff, number, { jobId, seed, index: task.index })
  const retryAtMs = atMs + delayMs
  // It would only wait for its end.
  return deadlineMs !== undefined && retryAtMs >= deadlineMs ? undefined : retryAtMs
}

/** When the task is tried again: its own policy counts before its job's. */
export function retryPolicyOf({ job, spec }: Task): RetryPolicy | undefined {
  return spec.retryPolicy === undefined ? job.spec.retry : job.spec.retryPolicies?.[spec.retryPolicy - 1]
}

function attemptsOf(task: Task, kind: RetryableKind): number {
  const own = retryPolicyOf(task)?.maxAttempts[kind] !== undefined
  return isLoss(kind) && !own ? chargesOf(task, 'workerLost', 'outOfMemory') : chargesOf(task, kind)
}

function limitOf(state: State, task: Task, kind: RetryableKind): number {
  const own = retryPolicyOf(task)?.maxAttempts[kind]
  if (own !== undefined) return own
  if (isLoss(kind)) return state.policy.maxLosses + 1
  // Where the same function has run, the module is not to blame.
  return kind === 'bundle' && state.meanRunMs.has(kindOf(task)) ? maxBundleAttempts : 1
}

function isLoss(kind: RetryableKind): boolean {
  return kind === 'workerLost' || kind === 'outOfMemory'
}
