import type { Out } from './effect.js'
import type { AttemptRef, EventOf, TaskWait } from './event.js'
import { takeBackFollowers } from './followers.js'
import { attemptOf } from './lookup.js'
import { hasGiven } from './resources.js'
import { findTask, isCurrent } from './settle.js'
import {
  demandOfTask,
  noteWaitingKind,
  occupantsOf,
  occupySlot,
  updateRooms,
  vacateSlot,
  waitWithoutSlot,
} from './slots.js'
import type { AwaitingStatus, Placement, State, Task, Worker } from './state.js'
import { setStatus } from './status.js'

/** How long it still runs, nobody knows. */
const untimed: Pick<Placement, 'expectedMs' | 'behind'> = { expectedMs: undefined, behind: [] }

/**
 * Tasks wait for tasks that they submitted, or have what they waited for. Said twice, or late, it changes nothing. An attempt that is
 * not wanted any more would wait for ever, because nobody lets it go on.
 */
export function noteWaits(state: State, { workerId, waits, atMs }: EventOf<'tasksWaited'>, out: Out): void {
  const worker = state.workers.get(workerId)
  if (worker === undefined) return
  worker.heardAtMs = atMs
  for (const wait of waits) {
    const task = findTask(state, wait)
    if (task && isCurrent(task, workerId, wait)) noteWait(state, task, worker, wait, atMs, out)
    else out.effects.push({ kind: 'cancelAttempt', workerId, attempt: refOf(wait), reason: 'it was given up' })
  }
}

/** The attempt is in this wait, with or without what it waits for. */
export function noteWait(
  state: State,
  task: Task,
  worker: Worker,
  { wait, isOver }: Pick<TaskWait, 'wait' | 'isOver'>,
  atMs: number,
  out: Out,
): void {
  if (wait > waitsOf(task)) beginWait(state, task, worker, wait, atMs, out)
  const { status } = task
  if (!isOver || status.kind !== 'awaiting' || status.waits !== wait || status.wokenAtMs !== undefined) return
  setStatus(task, { ...status, wokenAtMs: atMs })
  worker.woken.add(task)
  state.waking.add(worker)
  updateRooms(state, worker)
}

/** The attempt is in this wait, whatever was thought of it. */
export function restoreWait(
  state: State,
  task: Task,
  worker: Worker,
  wait: Pick<TaskWait, 'wait' | 'isOver'>,
  atMs: number,
  out: Out,
): void {
  beginWait(state, task, worker, wait.wait, atMs, out)
  noteWait(state, task, worker, wait, atMs, out)
}

function refOf({ jobId, index, epoch, attempt }: TaskWait): AttemptRef {
  return { jobId, index, epoch, attempt }
}

function waitsOf({ status }: Task): number {
  return status.kind === 'running' || status.kind === 'awaiting' ? (status.waits ?? 0) : 0
}

function beginWait(state: State, task: Task, worker: Worker, waits: number, atMs: number, out: Out): void {
  const { status } = task
  if (status.kind !== 'assigned' && status.kind !== 'running' && status.kind !== 'awaiting') return
  const { workerId, epoch, attempt } = status
  const startedAtMs = status.kind === 'assigned' ? atMs : status.startedAtMs
  // What was sent ahead behind it need not wait there for as long.
  takeBackFollowers(state, task, atMs, out)
  noteWaitingKind(state, task)
  waitWithoutSlot(state, task, worker)
  const rest = { workerId, epoch, attempt, ...untimed, startedAtMs, waits }
  setStatus(task, { kind: 'awaiting', ...rest, sinceMs: atMs, wokenAtMs: undefined })
}

/** Who has what it waited for goes on before anything new begins, as soon as its worker has room for it. */
export function resumeWoken(state: State, out: Out): void {
  for (const worker of state.waking) {
    for (const task of worker.woken) {
      const { status } = task
      if (status.kind !== 'awaiting' || !mayResume(worker, task)) break
      resume(state, task, worker, status)
      const { workerId } = worker.profile
      out.effects.push({ kind: 'resumeTask', workerId, attempt: attemptOf(task, status), wait: status.waits })
    }
  }
}

/** The attempt has its slot again. */
export function resume(state: State, task: Task, worker: Worker, status: AwaitingStatus): void {
  const { workerId, epoch, attempt, startedAtMs, waits } = status
  vacateSlot(state, task)
  const placement = { workerId, epoch, attempt, ...untimed }
  setStatus(task, { kind: 'running', ...placement, startedAtMs, waits })
  occupySlot(state, worker, task, placement)
  updateRooms(state, worker)
}

function mayResume(worker: Worker, task: Task): boolean {
  const { profile, tasks, extraSlots, suspects, unlinkedSinceMs } = worker
  // Who may have ended a worker runs alone.
  if (unlinkedSinceMs !== undefined || (task.suspect ? tasks.size > 0 : suspects > 0)) return false
  const { shape } = demandOfTask(task)
  return occupantsOf(worker) + extraSlots + shape.slots <= profile.slots && hasGiven(worker, shape)
}
