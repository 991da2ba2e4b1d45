import type { TaskFailure } from '#libs/domain'

import { emit } from './emit.js'
import type { Out } from './effect.js'
import { findObject, objectIdOf, type ObjectEntity } from './lookup.js'
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
  releaseInputs(state, task, out)
  out.effects.push({ kind: 'notifySettled', task, to: task.job.followers })
  if (task.job.settledAtMs !== undefined) out.effects.push({ kind: 'notifyJob', jobId, to: task.job.followers })
}

/** Settles a task that never ran to its end, and everything that depends on it. */
export function failTask(state: State, task: Task, failure: TaskFailure, atMs: number, out: Out): void {
  const record: AttemptRecord = { attempt: task.attempt, workerId: undefined, slot: 0, startedAtMs: 0, endedAtMs: 0 }
  recordSettle(state, task, { kind: 'failed', failure }, record, atMs, out)
  failDependents(state, task, atMs, out)
}

/** Settles as failed everything that depends on a failed task. */
// A loop over a list rather than recursion: a chain of dependents may be long.
export function failDependents(state: State, failed: Task, atMs: number, out: Out): void {
  const open = [failed]
  for (let task = open.pop(); task !== undefined; task = open.pop()) {
    for (const dependent of [...(task.dependents ?? [])]) {
      if (dependent.status.kind !== 'waiting' && dependent.status.kind !== 'queued') continue
      const failure = failedInput(objectIdOf(task), task)
      const record: AttemptRecord = {
        attempt: dependent.attempt,
        workerId: undefined,
        slot: 0,
        startedAtMs: 0,
        endedAtMs: 0,
      }
      recordSettle(state, dependent, { kind: 'failed', failure }, record, atMs, out)
      open.push(dependent)
    }
  }
}

/** How a task fails whose input failed. */
export function failedInput(objectId: string, { status }: Task): TaskFailure {
  const cause = status.kind === 'settled' && status.outcome.kind === 'failed' ? status.outcome.failure : undefined
  const message = `its input, task ${objectId}, failed: ${cause?.message ?? 'no reason is known'}`
  const kind = cause?.kind === 'cancelled' ? 'cancelled' : 'input'
  return { kind, reason: 'INPUT_FAILED', message, ...(cause ? { cause } : {}) }
}

/** A task needs its inputs no longer. */
export function releaseInputs(state: State, task: Task, out: Out): void {
  for (const objectId of new Set(task.spec.dependencies)) {
    const entity = findObject(state, objectId)
    if (entity?.dependents?.delete(task)) dropIfUnneeded(state, entity, out)
  }
}

/** Forgets an object that no client holds and no unsettled task needs. */
export function dropIfUnneeded(state: State, entity: ObjectEntity, out: Out): void {
  if (!entity.released || (entity.dependents?.size ?? 0) > 0) return
  const objectId = objectIdOf(entity)
  for (const workerId of entity.holders ?? []) {
    out.effects.push({ kind: 'releaseObject', workerId, objectId })
    state.workers.get(workerId)?.objects.delete(objectId)
  }
  entity.holders?.clear()
  if ('objectId' in entity) emit(state, out, { kind: 'objectForgotten', objectId })
}
