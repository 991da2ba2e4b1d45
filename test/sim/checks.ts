import { isDeepStrictEqual } from 'node:util'

import { findObject, isScattered } from '../../services/scheduler/core/lookup.js'
import type { Outcome, Task } from '../../services/scheduler/core/state.js'
import { isWorkerSession } from './simulated-family.js'
import type { Surroundings } from './surroundings.js'
import { decodeResult, taskIdIn } from './workload.js'

/** The task ended as it had to, and its client heard so. */
export function checkOutcome(
  around: Surroundings,
  task: Task,
  mayBeCancelled: boolean,
  heard: Outcome | undefined,
): void {
  const { status, index, job } = task
  const taskId = taskIdIn(job.spec.jobId, index)
  if (status.kind !== 'settled') throw new Error(`${taskId} is not settled`)
  const { outcome } = status
  if (heard && !isDeepStrictEqual(heard, outcome)) throw new Error(`the client heard another outcome of ${taskId}`)
  const plan = around.workload.planOf(taskId)
  if (outcome.kind === 'finished') {
    const value = decodeResult(outcome.result)
    if (value !== plan.expected) throw new Error(`${taskId} is ${value}, not ${plan.expected}`)
    return
  }
  const { kind, reason, message } = outcome.failure
  if (!isExcused(around, task, reason, mayBeCancelled))
    throw new Error(`${taskId} failed: ${kind} ${reason} ${message}`)
}

/** Whether the task could end in this way. */
function isExcused(
  { scheduler, workload, world }: Surroundings,
  task: Task,
  reason: string,
  mayBeCancelled: boolean,
): boolean {
  const plan = workload.planOf(taskIdIn(task.job.spec.jobId, task.index))
  switch (reason) {
    case 'TASK_THREW':
      return (
        plan.fails ||
        workload.disappointed.has(plan.taskId) ||
        (plan.flaws > 0 && mayGiveUp(task, 'userError', plan.flaws, 1))
      )
    case 'TASK_EXITED':
      return plan.exits
    case 'MODULE_NOT_LOADED':
      // Some workers are sick.
      return true
    case 'FAIL_FAST':
      return task.job.spec.failFast === true && task.job.counts.failed > 0
    case 'JOB_DEADLINE':
      return (task.job.spec.deadlineMs ?? Infinity) <= world.nowMs
    case 'CANCELLED':
      return mayBeCancelled
    case 'INPUT_LOST':
      return plan.perishable
    case 'WORKER_LOST':
      return mayGiveUp(task, 'workerLost', task.losses, scheduler.state.policy.maxLosses + 1)
    case 'UNSCHEDULABLE':
      return task.spec.needs !== undefined
    case 'INPUT_FAILED':
      return plan.inputs.some((input) => {
        const entity = findObject(scheduler.state, input)
        if (entity === undefined || isScattered(entity)) return false
        return entity.status.kind === 'settled' && entity.status.outcome.kind === 'failed'
      })
    default:
      return false
  }
}

/** Whether a task may fail after so many failures of a class: the limit is reached, or there is no other retry. */
function mayGiveUp({ job }: Task, kind: 'userError' | 'workerLost', failures: number, usualLimit: number): boolean {
  const { retry, deadlineMs } = job.spec
  const usedUp = retry?.budget !== undefined && job.retries >= retry.budget
  return failures >= (retry?.maxAttempts[kind] ?? usualLimit) || usedUp || deadlineMs !== undefined
}

/** Long after the storm the scheduler and the workers agree on who holds what. */
export function checkSteady({ scheduler, workers, workload }: Surroundings): void {
  for (const [workerId, { objects }] of scheduler.state.workers) {
    const worker = workers.get(workerId)
    if (worker === undefined) throw new Error(`${workerId} is gone, and the scheduler has not noticed`)
    for (const objectId of objects) {
      const value = worker.objects.get(objectId)
      if (value !== workload.valueOf(objectId)) throw new Error(`${workerId} holds ${value} as ${objectId}`)
    }
    for (const objectId of worker.objects.keys()) {
      if (!objects.has(objectId)) throw new Error(`${workerId} holds ${objectId}, of which nobody knows`)
    }
  }
  if (scheduler.state.workers.size !== workers.size) throw new Error('the scheduler does not know every worker')
}

/** When all clients are gone nothing is kept for them, on either side. */
export function checkNothingIsLeft({ scheduler, workers }: Surroundings): void {
  const { state } = scheduler
  const left: string[] = []
  const note = (what: string, size: number): void => {
    if (size > 0) left.push(`${size} ${what}`)
  }
  note('queued tasks', [...state.queue.values()].length)
  note('tasks that wait for holders', [...state.holderLines.values()].length)
  note('delayed tasks', state.delayed.size)
  note('buffers', state.objects.size)
  note('sessions', [...state.sessions.keys()].filter((id) => !isWorkerSession(id)).length)
  note('jobs of tasks', [...state.jobs.values()].filter(({ spec }) => spec.parent !== undefined).length)
  for (const { profile, tasks, awaiting, objects } of state.workers.values()) {
    note(`tasks on ${profile.workerId}`, tasks.size + awaiting.size)
    note(`objects on ${profile.workerId}`, objects.size)
  }
  for (const { workerId, objects, state: own, fetched, busySlots, stores } of workers.values()) {
    note(`objects in ${workerId}`, objects.size)
    note(`attempts in ${workerId}`, own.attempts.size)
    note(`ready attempts in ${workerId}`, own.ready.filter((key) => own.attempts.has(key)).length)
    note(`attempts in lines of ${workerId}`, own.lines.flat().length)
    note(`unacknowledged ends in ${workerId}`, own.unacknowledged.size)
    note(`fetched inputs in ${workerId}`, fetched.size)
    note(`slots that are not free in ${workerId}`, busySlots)
    note(`unacknowledged buffers in ${workerId}`, stores.size)
  }
  if (left.length > 0) throw new Error(`left behind: ${left.join(', ')}`)
}
