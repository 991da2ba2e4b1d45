import { assignTask } from './assignment.js'
import { isPlain } from './demand-class.js'
import type { Out } from './effect.js'
import { findObject, isAvailable, isScattered, type ObjectEntity } from './lookup.js'
import { isAllowed } from './resources.js'
import { demandOfTask, expectedMsOf, hasRoomBehind } from './slots.js'
import type { State, Task, Worker } from './state.js'

/** A task of more inputs is not sent ahead of them: there is little to gain beside what they cost, and each is looked up. */
const maxInputs = 16
/** Of so many dependents of a task one is sought that can follow it. */
const maxDependents = 4

/**
 * Late binding along a chain: a short task whose missing inputs are all on one worker is sent there behind them, and begins
 * without a question when they are made. Each task has one follower at most; its other dependents go where there is room when
 * they are ready. What is sent so waits in nobody's way: where others wait for their turn, a chain goes on link by link.
 */
export function extendChains(state: State, atMs: number, out: Out): void {
  for (const worker of state.extendable) {
    state.extendable.delete(worker)
    if (state.workers.get(worker.profile.workerId) === worker) extendOn(state, worker, atMs, out)
  }
}

function extendOn(state: State, worker: Worker, atMs: number, out: Out): void {
  // One that is sent is a tail itself, and comes last.
  for (const tail of worker.tails) {
    const task = followerOf(state, tail, worker, atMs)
    const expectedMs = task && expectedMsOf(state, task)
    if (expectedMs === undefined || isContested(state, task as Task, worker)) {
      worker.tails.delete(tail)
      continue
    }
    // It is looked at again when one of those before has its turn, or leaves.
    if (!hasRoomBehind(worker, expectedMs)) return
    worker.tails.delete(tail)
    assignTask(state, task as Task, worker, { expectedMs, behind: missingInputs(state, task as Task) }, atMs, out)
    state.extendable.delete(worker)
  }
}

function followerOf(state: State, tail: Task, worker: Worker, atMs: number): Task | undefined {
  let left = maxDependents
  for (const dependent of tail.dependents ?? []) {
    if (left-- === 0) return undefined
    if (mayFollow(state, dependent, tail, worker, atMs)) return dependent
  }
  return undefined
}

function mayFollow(state: State, task: Task, tail: Task, worker: Worker, atMs: number): boolean {
  const { job, spec, status, suspect, past } = task
  if (status.kind !== 'waiting' || suspect || job !== tail.job || spec.dependencies.length > maxInputs) return false
  if (past && past.retryAtMs > atMs) return false
  const demand = demandOfTask(task)
  if (!isPlain(demand.shape) || !isAllowed(worker, demand) || demand.priority !== demandOfTask(tail).priority)
    return false
  return spec.dependencies.every((objectId) => {
    const input = findObject(state, objectId)
    return input !== undefined && isOn(input, worker)
  })
}

/** Whether the worker has the value without a transfer when it is done with what it has; all that is before must be short. */
function isOn(input: ObjectEntity, { profile }: Worker): boolean {
  const { workerId } = profile
  if (input.holders?.has(workerId)) return true
  if (isScattered(input)) return false
  const { status } = input
  switch (status.kind) {
    case 'assigned':
    case 'running':
      return status.workerId === workerId && status.expectedMs !== undefined
    case 'settled':
      return status.outcome.kind === 'finished' && status.outcome.result.kind === 'inline'
    default:
      return false
  }
}

function missingInputs(state: State, { spec }: Task): Task[] {
  return [...new Set(spec.dependencies)].flatMap((objectId) => {
    const input = findObject(state, objectId)
    return input === undefined || isScattered(input) || isAvailable(input) ? [] : input
  })
}

/** Whether somebody else waits for that worker whose turn it would be. */
function isContested({ queue, holderLines }: State, task: Task, worker: Worker): boolean {
  const { priority } = demandOfTask(task)
  if (holderLines.size > 0 && (holderLines.first(worker)?.priority ?? -Infinity) >= priority) return true
  for (const level of queue.levels) {
    if (level.priority < priority) return false
    for (const group of level.groups) {
      if (!isPlain(group.demand.shape) || !isAllowed(worker, group.demand)) continue
      const lane = group.first()
      if (lane === undefined) continue
      if (lane.job !== task.job || group.lanes.size > 1 || level.priority > priority) return true
    }
  }
  return false
}
