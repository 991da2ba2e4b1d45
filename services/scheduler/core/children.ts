import { parseTaskId } from '#libs/domain'
import type { ObjectId, TaskFailure } from '#libs/domain'

import { stopTasks } from './cancel.js'
import { emit } from './emit.js'
import type { Out, Refusal } from './effect.js'
import type { AttemptRef } from './event.js'
import { awaitInputs } from './inputs.js'
import { depthOf } from './lane.js'
import { findObject, isScattered, objectIdOf } from './lookup.js'
import { dropCopies } from './outcome.js'
import { findTask, isAdoptable } from './settle.js'
import { demandOfTask, isOnWorker } from './slots.js'
import type { JobParent, JobSpec } from './job-spec.js'
import type { Job, State, Task } from './state.js'

/** Why a task may not submit the job, or nothing when it may. */
export function refuseChild(state: State, spec: JobSpec, ref: AttemptRef): Refusal | undefined {
  const task = findTask(state, ref)
  if (task === undefined || !isAlive(state, task, ref)) return attemptOver(ref)
  const depth = depthOf(task.job) + 1
  if (depth > state.policy.maxJobDepth) return tooDeep(task, depth, state.policy.maxJobDepth)
  const foreign = spec.functions.find(({ bundleDigest }) => !isKnownCode(state, task.job, bundleDigest))
  if (foreign) return foreignCode(task, foreign.taskName)
  for (const [index, { dependencies }] of spec.tasks.entries()) {
    const input = dependencies.find((objectId) => isForeign(state, task, spec, objectId))
    if (input !== undefined) return foreignInput(index, input)
  }
  return undefined
}

/** What is remembered of the attempt that submits a job. */
export function parentOf(state: State, { jobId, index, epoch, attempt }: AttemptRef): JobParent {
  const task = findTask(state, { jobId, index, epoch, attempt })
  if (task === undefined) throw new Error(`task ${jobId}/${index} submits a job, but is unknown`)
  const { priority } = demandOfTask(task)
  return { jobId, index, epoch, attempt, depth: depthOf(task.job) + 1, priority }
}

/**
 * A task asks for the same as before. A later attempt of it gets what is done, and what failed is tried once more: a retry
 * that is served the old failure would be none. Returns whether the job goes on: if not, another one takes its place.
 */
export function askAgain(state: State, job: Job, ref: AttemptRef, atMs: number, out: Out): boolean {
  const { askedBy, tasks, cancelled } = job
  const isSame = askedBy?.epoch === ref.epoch && askedBy.attempt === ref.attempt
  job.askedBy = ref
  if (isSame || cancelled) return true
  if (tasks.some(({ released }) => released)) return !giveUpChild(state, job, atMs, out)
  const failed = tasks.filter(({ status }) => status.kind === 'settled' && status.outcome.kind === 'failed')
  for (const { index } of failed) emit(state, out, { kind: 'taskReopened', jobId: job.spec.jobId, index })
  // Only now: of several that failed one may be the input of another.
  for (const task of failed) awaitInputs(state, task, atMs, out)
  return true
}

/** An earlier attempt gave some of its results up: the job is begun anew. Returns whether it is forgotten. */
function giveUpChild(state: State, job: Job, atMs: number, out: Out): boolean {
  if (job.parent && job.settledAtMs === undefined) stopChild(state, job, job.parent, atMs, out)
  return forgetChild(state, job, out)
}

/** The jobs of settled tasks end with them, and theirs in turn. Returns whether there were any. */
// A loop over a growing set rather than recursion: a family may be deep.
export function endChildren(state: State, atMs: number, out: Out): boolean {
  const ended: Job[] = []
  for (const parent of state.bereft) {
    state.bereft.delete(parent)
    if (parent.status.kind !== 'settled') continue
    for (const child of parent.children ?? []) {
      if (child.spec.detached) continue
      if (child.settledAtMs === undefined) stopChild(state, child, parent, atMs, out)
      ended.push(child)
    }
  }
  for (const job of ended) forgetChild(state, job, out)
  return ended.length > 0
}

function stopChild(state: State, child: Job, parent: Task, atMs: number, out: Out): void {
  const { jobId } = child.spec
  if (!child.cancelled) emit(state, out, { kind: 'jobCancelled', jobId })
  const failureOf = (task: Task): TaskFailure => {
    const message = `task ${objectIdOf(task)} was cancelled, because task ${objectIdOf(parent)}, which submitted it, is over`
    return { kind: 'cancelled', reason: 'PARENT_OVER', message, attempts: task.attempt }
  }
  stopTasks(state, child.tasks, failureOf, 'the task that submitted it is over', atMs, out)
}

/** Nobody asks for its results any more, unless it is pinned or somebody else took one of them. */
function forgetChild(state: State, job: Job, out: Out): boolean {
  if (job.persistedAs !== undefined || job.tasks.some(({ dependents }) => dependents?.size)) return false
  for (const task of job.tasks) dropCopies(state, task, out)
  emit(state, out, { kind: 'jobForgotten', jobId: job.spec.jobId })
  return true
}

/** Whether the job is one of a task that may yet ask for it again. */
export function isChildInUse({ parent, spec, unreleased }: Job): boolean {
  return parent !== undefined && parent.status.kind !== 'settled' && !spec.detached && unreleased > 0
}

/** Whether it is the task's attempt, or one that was given up and may come back. */
function isAlive(state: State, task: Task, ref: AttemptRef): boolean {
  const { status } = task
  if (isOnWorker(status)) return status.epoch === ref.epoch && status.attempt === ref.attempt
  return isAdoptable(state, task, ref)
}

/** A task brings no new code into the mesh. */
function isKnownCode(state: State, { spec }: Job, digest: string): boolean {
  if (spec.functions.some(({ bundleDigest }) => bundleDigest === digest)) return true
  for (const { bundleDigest } of state.registeredTasks.values()) if (bundleDigest === digest) return true
  return false
}

/** What is not done must not wait for the parent, which waits for it: only the parent's own jobs cannot. */
function isForeign(state: State, parent: Task, { jobId }: JobSpec, objectId: ObjectId): boolean {
  const input = findObject(state, objectId)
  if (input === undefined || isScattered(input) || parseTaskId(objectId)?.jobId === jobId) return false
  return input.status.kind !== 'settled' && input.job.parent !== parent
}

function attemptOver({ jobId, index, epoch, attempt }: AttemptRef): Refusal {
  const message = `attempt ${attempt} of task ${jobId}/${index} is over, or another one took its place: it cannot submit tasks any more`
  const metadata = { taskId: `${jobId}/${index}`, epoch: String(epoch), attempt: String(attempt) }
  return { code: 'ABORTED', reason: 'ATTEMPT_OVER', message, metadata }
}

function tooDeep(task: Task, depth: number, maxJobDepth: number): Refusal {
  const message =
    `task ${objectIdOf(task)} cannot submit tasks: they would be ${depth} levels deep, at most ${maxJobDepth} are allowed; ` +
    'does the recursion end? If it does, let the leaves do more themselves, or raise the limit (--max-job-depth)'
  return { code: 'FAILED_PRECONDITION', reason: 'TOO_DEEP', message }
}

function foreignCode(task: Task, taskName: string): Refusal {
  const message = `task ${objectIdOf(task)} submits ${taskName} of a bundle that neither its job nor a registered task has`
  return { code: 'INVALID_ARGUMENT', reason: 'FOREIGN_CODE', message }
}

function foreignInput(index: number, objectId: ObjectId): Refusal {
  const message = `task ${index} depends on ${objectId}, which is not done and was not submitted by the same task: it might wait for that task`
  const fieldViolations = [{ field: `job.tasks[${index}].input`, description: message }]
  return { code: 'INVALID_ARGUMENT', reason: 'FOREIGN_INPUT', message, fieldViolations }
}
