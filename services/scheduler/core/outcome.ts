import type { TaskFailure } from '#libs/domain'

import { archiveOutput, releaseArchive } from './archives.js'
import { emit } from './emit.js'
import type { Out } from './effect.js'
import { findObject, isScattered, isWanted, objectIdOf, type ObjectEntity } from './lookup.js'
import type { AttemptRecord, Outcome, State, Task } from './state.js'

/** Settles a task: the one place where an outcome becomes a fact. */
export function recordSettle(
  state: State,
  task: Task,
  outcome: Outcome,
  record: AttemptRecord,
  atMs: number,
  out: Out,
): void {
  const { jobId } = task.job.spec
  emit(state, out, { kind: 'taskSettled', atMs, jobId, index: task.index, outcome, record })
  task.adoptable = false
  releaseInputs(state, task, out)
  out.effects.push({ kind: 'notifySettled', task, to: task.job.followers })
  if (task.job.settledAtMs !== undefined) out.effects.push({ kind: 'notifyJob', jobId, to: task.job.followers })
}

/** Settles a task that never ran to its end, and everything that depends on it. */
export function failTask(state: State, task: Task, failure: TaskFailure, atMs: number, out: Out): void {
  recordFailure(state, task, failure, atMs, out)
  failDependents(state, task, atMs, out)
}

/** Settles a task that never ran to its end, and leaves those that depend on it to the caller. */
export function recordFailure(state: State, task: Task, failure: TaskFailure, atMs: number, out: Out): void {
  const record: AttemptRecord = { attempt: task.attempt, workerId: undefined, slot: 0, startedAtMs: 0, endedAtMs: 0 }
  recordSettle(state, task, { kind: 'failed', failure }, record, atMs, out)
}

/** Settles as failed everything that depends on a failed task. What already runs with the input may finish. */
// A loop over a list rather than recursion: a chain of dependents may be long.
export function failDependents(state: State, failed: Task, atMs: number, out: Out): void {
  const open = [failed]
  for (let task = open.pop(); task !== undefined; task = open.pop()) {
    if (!task.dependents?.size) continue
    const failure = failedInput(task)
    for (const dependent of [...task.dependents]) {
      if (!isHeldBack(dependent)) continue
      recordFailure(state, dependent, failure, atMs, out)
      open.push(dependent)
    }
  }
}

/** Whether the task is neither settled nor on a worker. */
export function isHeldBack({ status }: Task): boolean {
  return status.kind === 'waiting' || status.kind === 'delayed' || status.kind === 'queued'
}

/**
 * How a task fails whose input, the result of this task, failed. It names the input and carries the failure that began
 * it all, not those between: along a chain, causes within causes would grow with the square of its length.
 */
export function failedInput(task: Task): TaskFailure {
  const { status } = task
  const failure = status.kind === 'settled' && status.outcome.kind === 'failed' ? status.outcome.failure : undefined
  const named = failure && { ...failure, taskId: objectIdOf(task), taskName: task.spec.name }
  const cause = failure?.reason === 'INPUT_FAILED' ? (failure.cause ?? named) : named
  const message = `its input, task ${objectIdOf(task)}, failed: ${cause?.message ?? 'no reason is known'}`
  const kind = cause?.kind === 'cancelled' ? 'cancelled' : 'input'
  return { kind, reason: 'INPUT_FAILED', message, ...(cause ? { cause } : {}) }
}

/** A task needs its inputs no longer. */
function releaseInputs(state: State, task: Task, out: Out): void {
  for (const objectId of task.spec.dependencies) {
    const entity = findObject(state, objectId)
    if (!entity?.dependents?.delete(task)) continue
    dropIfUnneeded(state, entity, out)
    if (!isScattered(entity)) archiveOutput(state, entity, out)
  }
}

/** Forgets an object that no client holds and no unsettled task needs. */
export function dropIfUnneeded(state: State, entity: ObjectEntity, out: Out): void {
  if (isWanted(entity)) return
  dropCopies(state, entity, out)
  if (isScattered(entity)) emit(state, out, { kind: 'objectForgotten', objectId: entity.objectId })
  else if (entity.archive !== undefined) emit(state, out, { kind: 'archiveLost', objectId: objectIdOf(entity) })
}

/** Lets every holder forget the object, and the checkpoint-store. */
export function dropCopies(state: State, entity: ObjectEntity, out: Out): void {
  if (!entity.holders?.size && entity.archive === undefined) return
  const objectId = objectIdOf(entity)
  if (entity.archive !== undefined) {
    releaseArchive(state, objectId, entity.archive, out)
  }
  if (!entity.holders?.size) return
  for (const workerId of entity.holders) {
    out.effects.push({ kind: 'releaseObject', workerId, objectId })
    state.workers.get(workerId)?.objects.delete(objectId)
  }
  entity.holders.clear()
}
