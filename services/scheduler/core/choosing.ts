import type { WorkerId } from '#libs/domain'

import { type Demand, isPinned, isPlain, plainDemand } from './demand-class.js'
import { type InputSizes, nothingHeld } from './input-sizes.js'
import { startMsOf } from './moving.js'
import { fits, isAllowed, roomsOf } from './resources.js'
import { hasRoom, occupantsOf } from './slots.js'
import type { State, Task, Worker } from './state.js'
import { endsTooSoon, lastsLongerElsewhere } from './time-left.js'

/** The worker with the fewest tasks per slot that may take such a task now. */
export function findRoom(state: State, demand: Demand, expectedMs: number | undefined): Worker | undefined {
  if (!isPinned(demand)) return roomsOf(state, demand.shape).best(expectedMs)
  return chooseWorker(candidatesOf(state, demand), nothingHeld, (worker) => hasRoomFor(worker, demand, expectedMs))
}

/** Those that a pin lets take the task, and perhaps others. */
export function candidatesOf({ workers }: State, demand: Demand): Iterable<Worker> {
  return demand.workers.length === 0 ? workers.values() : demand.workers.flatMap((id) => workers.get(id) ?? [])
}

export function hasRoomFor(worker: Worker, demand: Demand, expectedMs: number | undefined): boolean {
  if (demand === plainDemand) return hasRoom(worker, expectedMs)
  if (!isAllowed(worker, demand)) return false
  return isPlain(demand.shape) ? hasRoom(worker, expectedMs) : fits(worker, demand.shape)
}

export interface Choice {
  readonly inputs: InputSizes
  readonly leastLoaded: Worker
  readonly expectedMs: number | undefined
  readonly atMs: number
}

/** Where it can begin first; but not where the end comes before the task's, if that can be helped. */
export function choosePlace(state: State, task: Task, demand: Demand, choice: Choice): Worker | undefined {
  const { inputs, leastLoaded, expectedMs, atMs } = choice
  const worker = chooseHolder(state, inputs, demand, { leastLoaded, expectedMs })
  if (!endsTooSoon(state, worker, task, atMs)) return worker
  const lasts = (each: Worker): boolean => hasRoomFor(each, demand, expectedMs) && !endsTooSoon(state, each, task, atMs)
  const longer = chooseWorker(state.workers.values(), inputs.heldBytes, lasts)
  return longer ?? (lastsLongerElsewhere(state, task, atMs) ? undefined : worker)
}

/**
 * Of the least loaded and those that hold inputs of the task and may take it, the one where it can begin first: bytes to move
 * against time in the queue. Of equals, the one that holds most, then the one with the fewest tasks per slot.
 */
function chooseHolder(
  { workers }: State,
  { heldBytes, byteLength }: InputSizes,
  demand: Demand,
  { leastLoaded, expectedMs }: Pick<Choice, 'leastLoaded' | 'expectedMs'>,
): Worker {
  if (heldBytes.size === 0) return leastLoaded
  const bytesAt = ({ profile }: Worker): number => heldBytes.get(profile.workerId) ?? 0
  let best = leastLoaded
  let bestMs = startMsOf(best, byteLength - bytesAt(best))
  for (const workerId of heldBytes.keys()) {
    const holder = workers.get(workerId)
    if (holder === undefined || holder === best || !hasRoomFor(holder, demand, expectedMs)) continue
    const ms = startMsOf(holder, byteLength - bytesAt(holder))
    const isEqual = ms === bestMs
    const isFuller = bytesAt(holder) > bytesAt(best)
    const isFreer = bytesAt(holder) === bytesAt(best) && loadOf(holder) < loadOf(best)
    if (ms < bestMs || (isEqual && (isFuller || isFreer))) {
      best = holder
      bestMs = ms
    }
  }
  return best
}

function loadOf(worker: Worker): number {
  return occupantsOf(worker) / worker.profile.slots
}

/** Of those that may take it the one where most of the task's inputs are, then the one with the fewest tasks per slot. */
export function chooseWorker(
  candidates: Iterable<Worker>,
  heldBytes: ReadonlyMap<WorkerId, number>,
  mayTake: (worker: Worker) => boolean,
): Worker | undefined {
  let best: Worker | undefined
  let bestBytes = -1
  let bestLoad = Infinity
  for (const worker of candidates) {
    if (!mayTake(worker)) continue
    const bytes = heldBytes.get(worker.profile.workerId) ?? 0
    const load = loadOf(worker)
    if (bytes > bestBytes || (bytes === bestBytes && load < bestLoad)) {
      best = worker
      bestBytes = bytes
      bestLoad = load
    }
  }
  return best
}
