import { isBehindInputs } from './status.js'
import { isOpen, kindOf } from './slots.js'
import type { State, Task, Worker } from './state.js'

/**
 * In how many milliseconds a slot of the worker should be free for a task, behind others that wait for one and run so long together;
 * `Infinity` when that cannot be told. Work that waits is poured into the slots as they come free.
 */
export function slotFreeMsOf(state: State, worker: Worker, aheadMs: number, atMs: number): number {
  if (!isOpen(worker) || worker.extraSlots > 0) return Infinity
  const shortSlots = worker.profile.slots - worker.longTasks
  // Where all is short, or some slots are, these are free first.
  if (shortSlots > 0) return (worker.shortMs + aheadMs) / shortSlots
  const freeMs = [...worker.tasks]
    .filter(({ status }) => !isBehindInputs(status))
    .map((task) => restMsOf(state, task, atMs))
    .sort((a, b) => a - b)
  let leftMs = aheadMs
  for (let slots = 1; slots <= freeMs.length; slots++) {
    const fromMs = freeMs[slots - 1] as number
    const takenMs = ((freeMs[slots] ?? Infinity) - fromMs) * slots
    if (fromMs === Infinity || leftMs <= takenMs) return fromMs + leftMs / slots
    leftMs -= takenMs
  }
  return Infinity
}

/**
 * How long a task should still run by the mean of its kind. One that is late is taken to be so by as much again: the longer it
 * was misjudged, the less is built on its end.
 */
function restMsOf(state: State, task: Task, atMs: number): number {
  const { status, children } = task
  const meanMs = state.meanRunMs.get(kindOf(task))
  // It may wait for what it submitted, with its slot: who waits for that slot could be among them.
  if (meanMs === undefined || children?.size) return Infinity
  if (status.kind === 'assigned') return meanMs + Math.max(0, atMs - status.sinceMs)
  if (status.kind !== 'running') return Infinity
  return Math.abs(meanMs - Math.max(0, atMs - status.startedAtMs))
}
