import { isAllowed, couldTake } from './resources.js'
import { demandOfTask, kindOf, takesTasks } from './slots.js'
import type { State, Task, Worker } from './state.js'

/**
 * Whether the worker will be ended before the task is through, and what it did is lost, as far as it is known how long tasks of
 * its kind run: a SLURM job has a time limit. One that saves checkpoints goes on elsewhere: it may use what time is left.
 */
export function endsTooSoon(state: State, worker: Worker, task: Task, atMs: number): boolean {
  const { endsAtMs } = worker.profile
  if (endsAtMs === undefined) return false
  const kind = kindOf(task)
  if (state.checkpointingKinds.has(kind)) return false
  const meanMs = state.meanRunMs.get(kind)
  return meanMs !== undefined && atMs + meanMs > endsAtMs
}

/**
 * Whether another worker that takes tasks, free or not, could run the task to its end: then it is worth waiting for. When none
 * could, the task runs where there is room, saves what it can, and goes on elsewhere: one that takes as long as the time limit is
 * never starved.
 */
export function lastsLongerElsewhere(state: State, task: Task, atMs: number): boolean {
  const demand = demandOfTask(task)
  for (const worker of state.workers.values()) {
    if (!takesTasks(worker) || !isAllowed(worker, demand) || !couldTake(worker, demand.shape)) continue
    if (!endsTooSoon(state, worker, task, atMs)) return true
  }
  return false
}
