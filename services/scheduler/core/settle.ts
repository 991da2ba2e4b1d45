import type { ObjectId, TaskFailure, WorkerId } from '#libs/domain'

import { archiveOutput, bringToStore } from './archives.js'
import type { Out } from './effect.js'
import type { AttemptEnd, AttemptRef, EventOf } from './event.js'
import { takeBackFollowers } from './followers.js'
import { giveUpArchives } from './handover.js'
import { awaitInputs, supplyInput } from './inputs.js'
import { addHolder, objectIdOf } from './lookup.js'
import { dropIfUnneeded, failDependents, failTask, isHeldBack, recordSettle } from './outcome.js'
import { mayStillRun } from './past.js'
import { isOnWorker, kindOf, learnRunTime, vacateSlot } from './slots.js'
import type { Outcome, State, Task } from './state.js'
import { delayTask } from './status.js'
import { noteFault, noteRun, noteTrouble } from './quarantine.js'
import { failedAttempt, retryPolicyOf, tryAgain, withHistory } from './retries.js'

/** The first end of a task's current attempt settles it; every other is only acknowledged, so that its worker forgets it. */
export function endTasks(state: State, event: EventOf<'tasksEnded'>, out: Out): void {
  const { workerId, atMs } = event
  const worker = state.workers.get(workerId)
  if (worker) worker.heardAtMs = atMs
  for (const end of event.ends) {
    const { jobId, index, epoch, attempt } = end
    out.effects.push({ kind: 'acknowledgeEnd', workerId, attempt: { jobId, index, epoch, attempt } })
    const task = findTask(state, end)
    if (task === undefined || !isCurrent(task, workerId, end)) {
      dropStaleResult(state, task, end, workerId, out)
      continue
    }
    vacateSlot(state, task)
    if (isFetchFailure(end)) retryFetch(state, task, end.outcome.failure, workerId, atMs, out)
    else settle(state, task, end, workerId, atMs, out)
    if (end.outcome.kind === 'failed') takeBackFollowers(state, task, atMs, out)
  }
}

/** The task that a report names, or nothing when its job is forgotten. */
export function findTask(state: State, { jobId, index }: AttemptRef): Task | undefined {
  return state.jobs.get(jobId)?.tasks[index]
}

/** Whether the report is of the attempt that the task is in now. */
export function isCurrent({ status }: Task, workerId: WorkerId, { epoch, attempt }: AttemptRef): boolean {
  return isOnWorker(status) && status.workerId === workerId && status.epoch === epoch && status.attempt === attempt
}

/** Whether the attempt is one that was given up too early: nothing took its place yet. */
export function isAdoptable(state: State, task: Task, { epoch, attempt }: AttemptRef): boolean {
  if (!task.adoptable || !isHeldBack(task) || !mayStillRun(task, { epoch, attempt })) return false
  return epoch === state.epoch ? attempt === task.attempt : epoch < state.epoch && state.resyncUntilMs !== undefined
}

/** A result that nobody waits for. It may also be a known one, reported again: that one is kept. */
function dropStaleResult(state: State, task: Task | undefined, end: AttemptEnd, workerId: WorkerId, out: Out): void {
  if (end.outcome.kind === 'failed' || end.outcome.result.kind === 'inline') return
  const objectId = `${end.jobId}/${end.index}` as ObjectId
  const worker = state.workers.get(workerId)
  // While the worker runs the task again, the object that it holds may be the new attempt's.
  if (worker?.objects.has(objectId) || (task && worker?.tasks.has(task))) return
  out.effects.push({ kind: 'releaseObject', workerId, objectId })
}

type FailedEnd = AttemptEnd & { readonly outcome: { readonly kind: 'failed' } }

/** The worker could not get an input from its holders: nobody's fault but the holder's. */
function isFetchFailure(end: AttemptEnd): end is FailedEnd {
  return end.outcome.kind === 'failed' && end.outcome.failure.reason === 'INPUT_UNAVAILABLE'
}

/** After so many failures in a row holders that are alive may be out of reach from other workers. */
const failuresToDistrust = 3

/** The holder may be about to be found lost, and its objects computed again: there is no hurry, but an end. */
function retryFetch(state: State, task: Task, failure: TaskFailure, workerId: WorkerId, atMs: number, out: Out): void {
  const { firstFetchDelayMs, maxFetchFailures } = state.policy
  const maxAttempts = retryPolicyOf(task)?.maxAttempts.input ?? maxFetchFailures + 1
  task.fetchFailures++
  if (task.fetchFailures < maxAttempts) {
    if (task.fetchFailures >= failuresToDistrust) bringToStore(state, task.spec.dependencies, out)
    // However many they may be, the waits do not grow for ever.
    const delayMs = firstFetchDelayMs * 2 ** Math.min(task.fetchFailures - 1, maxFetchFailures)
    return delayTask(state, task, atMs + delayMs, 'inputs')
  }
  if (giveUpArchives(state, task, atMs, out)) return awaitInputs(state, task, atMs, out)
  const message = `the inputs of task ${objectIdOf(task)} could not be fetched in ${task.fetchFailures} attempts; the last time: ${failure.message}`
  failTask(state, task, withHistory(task, { ...failure, message, workerId, attempts: task.attempt }), atMs, out)
}

function settle(state: State, task: Task, end: AttemptEnd, workerId: WorkerId, atMs: number, out: Out): void {
  const { slot, startedAtMs, endedAtMs, attempt } = end
  let outcome: Outcome = end.outcome
  if (outcome.kind === 'failed') {
    judgeFailure(state, task, outcome.failure, workerId, atMs, out)
    const failed = failedAttempt(outcome.failure, { attempt, workerId, startedAtMs, endedAtMs })
    if (tryAgain(state, task, { epoch: end.epoch, failed, over: true }, atMs, out)) return
    outcome = { kind: 'failed', failure: withHistory(task, { ...outcome.failure, workerId, attempts: attempt }) }
  } else noteRun(state, state.workers.get(workerId))
  recordSettle(state, task, outcome, { attempt, workerId, slot, startedAtMs, endedAtMs }, atMs, out)
  if (outcome.kind === 'finished') {
    learnRunTime(state, task, endedAtMs - startedAtMs)
    if (end.savedCheckpoint) state.checkpointingKinds.add(kindOf(task))
    if (outcome.result.kind === 'object') addHolder(state, task, workerId)
    supplyInput(state, task, atMs, out)
  } else {
    failDependents(state, task, atMs, out)
  }
  // Its client may have released the result while the task ran.
  dropIfUnneeded(state, task, out)
  archiveOutput(state, task, out)
}

/** Whose fault it was, as far as it says something about the worker. */
function judgeFailure(
  state: State,
  task: Task,
  failure: TaskFailure,
  workerId: WorkerId,
  atMs: number,
  out: Out,
): void {
  const worker = state.workers.get(workerId)
  switch (failure.kind) {
    case 'userError':
      // Its code ran.
      return noteRun(state, worker)
    case 'bundle':
      // Only what has run somewhere says that the place is to blame.
      if (worker && state.meanRunMs.has(kindOf(task))) noteTrouble(state, worker, [task], failure.message, atMs, out)
      return
    case 'workerLost':
      if (worker) noteTrouble(state, worker, [task], failure.message, atMs, out)
      return
    case 'outOfMemory':
      return noteFault(state, task)
    default:
    // Says nothing of the worker.
  }
}
