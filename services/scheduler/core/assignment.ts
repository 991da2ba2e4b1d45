import type { Out } from './effect.js'
import { occupySlot, updateRooms } from './slots.js'
import type { Placement, State, Task, Worker } from './state.js'
import { setStatus } from './status.js'

/** What a task is behind whose inputs are all there. */
export const noInputs: readonly Task[] = []

/** Opens the next attempt of a task and sends it to the worker. */
export function assignTask(
  state: State,
  task: Task,
  worker: Worker,
  { expectedMs, behind }: Pick<Placement, 'expectedMs' | 'behind'>,
  atMs: number,
  out: Out,
): void {
  const { epoch } = state
  const { workerId } = worker.profile
  const attempt = ++task.attempt
  task.adoptable = false
  const status = { kind: 'assigned' as const, workerId, epoch, attempt, expectedMs, behind, sinceMs: atMs }
  setStatus(task, status)
  occupySlot(state, worker, task, status)
  updateRooms(state, worker)
  out.effects.push({ kind: 'runTask', workerId, task, attempt, epoch })
}
