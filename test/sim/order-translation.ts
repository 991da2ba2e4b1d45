import { type ObjectId, parseTaskId, taskIdOf } from '#libs/domain'

import type { AttemptRef, TaskOrder } from '../../services/worker/core/state.js'
import type { AttemptRef as SchedulerRef, HeldObject, ListedAttempt } from '../../services/scheduler/core/event.js'
import { attemptOf } from '../../services/scheduler/core/lookup.js'
import type { Task } from '../../services/scheduler/core/state.js'
import type { Order } from './messages.js'
import { bytesOf, sizeOf } from './workload.js'

/** An order as the worker's core takes it; both cores name attempts in their own way. */
export function orderToWorker({ inputs, taskName, gpus, urgent, behind, ...ref }: Order): TaskOrder {
  return {
    ...refToWorker(ref),
    jobId: ref.jobId,
    index: ref.index,
    bundleDigest: 'bundle',
    taskName,
    gpus,
    urgent,
    seed: 0n,
    input: new Uint8Array(),
    inputs,
    ...(behind.length > 0 && { behind: behind.map(refToWorker) }),
    trace: {},
    timeoutMs: undefined,
  }
}

export function refToWorker({ jobId, index, epoch, attempt }: SchedulerRef): AttemptRef {
  return { taskId: taskIdOf(jobId, index), epoch, attempt }
}

export function refToScheduler({ taskId, epoch, attempt }: AttemptRef) {
  const parsed = parseTaskId(taskId)
  if (parsed === undefined) throw new Error(`'${taskId}' names no task`)
  return { ...parsed, epoch, attempt }
}

/** An attempt as a hello lists it. */
export function listedToScheduler(
  ref: AttemptRef,
  running: boolean,
  behind: readonly AttemptRef[] = [],
): ListedAttempt {
  return { ...refToScheduler(ref), running, behind: behind.map(refToScheduler) }
}

/** An object as a hello lists it. */
export function heldToScheduler(objectId: ObjectId, value: number): HeldObject[] {
  return [{ objectId, descriptor: bytesOf(value), byteLength: sizeOf(value) }]
}

/** Where a task is that others were sent behind. */
export function placedAttemptOf(task: Task): SchedulerRef {
  const { status } = task
  if (status.kind !== 'assigned' && status.kind !== 'running') throw new Error('what a task is sent behind is nowhere')
  return attemptOf(task, status)
}
