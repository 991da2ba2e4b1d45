import { type Demand, isPlain, type Shape } from './demand-class.js'
import { occupantsOf, takesTasks } from './slots.js'
import type { State, Worker } from './state.js'
import { createVacancies, type Vacancies } from './vacancies.js'

/** How much of a resource the worker has when nothing runs there. Without a memory limit it takes any. */
export function offerOf({ profile }: Worker, name: string): number {
  const offered = profile.resources?.[name]
  if (offered !== undefined) return offered
  if (name !== 'memory') return 0
  return profile.memoryLimitBytes > 0 ? profile.memoryLimitBytes : Infinity
}

/** Whether the pin lets the task run there. */
export function isAllowed({ profile }: Worker, { workers, host }: Demand): boolean {
  if (workers.length > 0 && !workers.includes(profile.workerId)) return false
  return host === '' || profile.host === host
}

/** Whether the worker could take such a task when nothing else runs there. */
export function couldTake(worker: Worker, { slots, others }: Shape): boolean {
  return worker.profile.slots >= slots && others.every(([name, amount]) => offerOf(worker, name) >= amount)
}

/** Whether the resources beside slots are free there now. */
export function hasOthers(worker: Worker, { others }: Shape): boolean {
  for (const [name, amount] of others) {
    if (amount > offerOf(worker, name) - (worker.used.get(name) ?? 0)) return false
  }
  return true
}

/** Whether everything that the task takes is free there now. What takes more than a slot is never sent ahead. */
export function fits(worker: Worker, shape: Shape): boolean {
  if (!takesTasks(worker) || worker.reserved || worker.suspects > 0) return false
  if (worker.keptFor !== undefined && worker.keptFor !== shape.key) return false
  return occupantsOf(worker) + worker.extraSlots + shape.slots <= worker.profile.slots && hasOthers(worker, shape)
}

/** The workers with room for tasks of the shape. */
export function roomsOf(state: State, shape: Shape): Vacancies {
  if (isPlain(shape)) return state.vacancies
  let rooms = state.rooms.get(shape.key)
  if (rooms === undefined) {
    const takes = (worker: Worker): boolean => fits(worker, shape)
    rooms = createVacancies(state.workers, { takesAny: takes, takes })
    for (const worker of state.workers.values()) rooms.update(worker)
    state.rooms.set(shape.key, rooms)
  }
  return rooms
}
