import type { TaskFailure, WorkerId } from '#libs/domain'

import { emit } from './emit.js'
import type { Out } from './effect.js'
import { awaitInputs } from './inputs.js'
import { objectIdOf } from './lookup.js'
import { removeHolder } from './objects.js'
import { failTask } from './outcome.js'
import { noteFault, noteTrouble } from './quarantine.js'
import { type EndedAttempt, failedAttempt, noteUncharged, tryAgain, withHistory } from './retries.js'
import { isOnWorker } from './slots.js'
import type { State, Task, Worker, WorkerEnd } from './state.js'
import { isUrgent } from './urgency.js'

/** Why a worker was taken for lost: what its supervisor saw, or that nothing was heard of it. */
export type LossCause = { readonly kind: 'ended'; readonly end: WorkerEnd } | { readonly kind: 'cut' | 'silent' }

/**
 * A worker is lost: what it ran is run again, what only it held is computed again. Blame is exact: of several tasks that
 * may have ended it none is charged, each runs again alone, and the one that ends its worker there is charged.
 */
export function loseWorker(state: State, worker: Worker, cause: LossCause, atMs: number, out: Out): void {
  const { workerId } = worker.profile
  const why = `worker ${workerId} ${describe(cause)}`
  out.effects.push({ kind: 'dismissWorker', workerId, reason: why })
  const suspects = suspectsOn(worker)
  const culprit = culpritOn(worker, suspects)
  judgeLoss(state, worker, suspects, culprit, cause, why, atMs, out)
  removeWorker(state, worker, atMs, out, (task) => {
    task.adoptable = true
    // How a worker ended whose link was cut may be told later.
    if (suspects.has(task)) task.lastEnd = cause.kind === 'ended' ? cause.end : (task.lastEnd ?? { workerId })
    const ended = endedAttempt(task, workerId, why, atMs)
    if (task === culprit) return chargeLoss(state, task, ended, why, atMs, out)
    if (suspects.has(task)) {
      noteUncharged(state, task, ended, out)
      if (!task.suspect) emit(state, out, { kind: 'taskSuspected', jobId: task.job.spec.jobId, index: task.index })
    }
    awaitInputs(state, task, atMs, out)
  })
}

/** A worker that was lost already ended so: it is told of the tasks that were lost with it, and have not run since. */
export function learnEnd(state: State, end: WorkerEnd): void {
  for (const { task } of state.suspects.values()) {
    if (task.lastEnd?.workerId === end.workerId) task.lastEnd = end
  }
}

/** Whatever the worker had goes elsewhere, each task as `giveUp` says. */
export function removeWorker(state: State, worker: Worker, atMs: number, out: Out, giveUp: (task: Task) => void): void {
  const { workerId } = worker.profile
  state.workers.delete(workerId)
  emit(state, out, { kind: 'workerDetached', workerId })
  for (const objectId of worker.objects) removeHolder(state, objectId, workerId, atMs, out)
  state.waking.delete(worker)
  for (const task of [...worker.tasks, ...worker.awaiting]) giveUp(task)
}

/** What may have run when the worker was lost: what it said it runs, and so many of the next as it has other slots. */
// A start that was not heard of counts: a task that ends its worker at once would else do so for ever.
// Who waits for others runs no code, unless nobody else is there.
function suspectsOn({ tasks, awaiting, profile }: Worker): Set<Task> {
  if (tasks.size === 0) return new Set(awaiting)
  const suspects = new Set([...tasks].filter(({ status }) => status.kind === 'running'))
  for (const task of tasks) {
    if (suspects.size >= profile.slots) break
    suspects.add(task)
  }
  return suspects
}

/**
 * The one that ran, when there was no other that may have. Of several in a line any may have begun meanwhile: unless all that
 * becomes of them is said at once, the worker may have kept the news for a moment.
 */
function culpritOn({ tasks }: Worker, suspects: ReadonlySet<Task>): Task | undefined {
  const [only] = suspects
  if (only === undefined || suspects.size > 1) return undefined
  return tasks.size === 1 || (only.status.kind !== 'assigned' && isUrgent(only)) ? only : undefined
}

/** An attempt ended its worker: the task is run again, but not for ever. */
function chargeLoss(state: State, task: Task, ended: EndedAttempt, why: string, atMs: number, out: Out): void {
  const { jobId } = task.job.spec
  emit(state, out, { kind: 'attemptLost', jobId, index: task.index })
  if (tryAgain(state, task, ended, atMs, out)) return
  failTask(state, task, withHistory(task, failureOf(task, why)), atMs, out)
}

/** The attempt that a task was in, as far as anybody knows how it ended. */
function endedAttempt(task: Task, workerId: WorkerId, message: string, atMs: number): EndedAttempt {
  const { status, lastEnd } = task
  const memory = lastEnd?.workerId === workerId && lastEnd.memory !== undefined
  const failure: TaskFailure = memory
    ? { kind: 'outOfMemory', reason: 'MEMORY_LIMIT', message }
    : { kind: 'workerLost', reason: 'WORKER_LOST', message }
  const epoch = isOnWorker(status) ? status.epoch : 0
  const startedAtMs = status.kind === 'running' || status.kind === 'awaiting' ? status.startedAtMs : 0
  const where = { attempt: task.attempt, workerId, startedAtMs, endedAtMs: atMs }
  return { epoch, failed: failedAttempt(failure, where), over: false }
}

/** What the loss says of the worker's host. Of a task that took too much memory it says nothing. */
function judgeLoss(
  state: State,
  worker: Worker,
  suspects: ReadonlySet<Task>,
  culprit: Task | undefined,
  cause: LossCause,
  why: string,
  atMs: number,
  out: Out,
): void {
  if (culprit && cause.kind === 'ended' && cause.end.memory) noteFault(state, culprit)
  else if (suspects.size > 0) noteTrouble(state, worker, suspects, why, atMs, out)
}

function failureOf(task: Task, why: string): TaskFailure {
  const taskId = objectIdOf(task)
  const { losses, attempt: attempts, lastEnd } = task
  if (lastEnd?.memory === undefined) {
    const isTold = lastEnd === undefined || !isKnown(lastEnd) || why.includes(lastEnd.workerId)
    const seen = isTold ? '' : `; before that, worker ${lastEnd.workerId} ${describe({ kind: 'ended', end: lastEnd })}`
    const message = `task ${taskId} was lost ${losses} times, the last time because ${why}${seen}`
    return { kind: 'workerLost', reason: 'WORKER_LOST', message, attempts }
  }
  const { memory, workerId } = lastEnd
  const message =
    `task ${taskId} ended its worker ${losses} times; the last time that was seen, worker ${workerId} had ` +
    `${megabytes(memory.bytes)} of ${megabytes(memory.limitBytes)}: give the workers more memory, or the task less to do at once`
  return { kind: 'outOfMemory', reason: 'MEMORY_LIMIT', message, attempts }
}

function isKnown({ exitCode, signal }: WorkerEnd): boolean {
  return exitCode !== undefined || signal !== undefined
}

function describe(cause: LossCause): string {
  switch (cause.kind) {
    case 'cut':
      return 'was lost (its link broke)'
    case 'silent':
      return 'was lost (it was silent for too long)'
    case 'ended': {
      const { memory, exitCode, signal } = cause.end
      if (memory) {
        return `was ended at its memory limit (${megabytes(memory.bytes)} of ${megabytes(memory.limitBytes)})`
      }
      if (signal === 'SIGKILL') return "was ended by SIGKILL (the system's out-of-memory killer, or somebody, sent it)"
      return signal === undefined ? `ended with exit code ${exitCode ?? 'unknown'}` : `was ended by ${signal}`
    }
    default:
      return cause satisfies never
  }
}

function megabytes(bytes: number): string {
  return `${Math.round(bytes / 1e6)} MB`
}
