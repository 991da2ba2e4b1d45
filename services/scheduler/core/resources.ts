import { type Demand, isPlain, type Shape } from './demand-class.js'
import { demandOfTask, isKept, occupantsOf, takesTasks } from './slots.js'
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

/** Whether the worker could take it when nothing runs there but what waits for tasks that it submitted, and keeps some. */
export function couldTakeBeside(worker: Worker, shape: Shape): boolean {
  if (!couldTake(worker, shape)) return false
  return shape.others.every(([name, amount]) => offerOf(worker, name) - keptOf(worker, name) >= amount)
}

/** How much of a resource the waiting tasks there keep. */
export function keptOf({ awaiting }: Worker, name: string): number {
  if (!isKept(name)) return 0
  let kept = 0
  for (const task of awaiting) {
    for (const [other, amount] of demandOfTask(task).shape.others) if (other === name) kept += amount
  }
  return kept
}

/** Whether that is free there which a task gave back when it began to wait. */
export function hasGiven(worker: Worker, { others }: Shape): boolean {
  return hasOthers(worker, { others: others.filter(([name]) => !isKept(name)) })
}

/** Whether the resources beside slots are free there now. */
export function hasOthers(worker: Worker, { others }: Pick<Shape, 'others'>): boolean {
  for (const [name, amount] of others) {
    if (amount > offerOf(worker, name) - (worker.used.get(name) ?? 0)) return false
  }
  return true
}

/** Whether everything that the task takes is free there now. What takes more than a slot is never sent ahead. */
export function fits(worker: Worker, shape: Shape): boolean {
  if (!takesTasks(worker) || worker.reserved || worker.suspects > 0 || worker.woken.size > 0) return false
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
