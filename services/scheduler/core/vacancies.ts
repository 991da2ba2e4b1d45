import type { WorkerId } from '#libs/domain'

import { IndexedHeap } from './indexed-heap.js'
import { hasRoom, occupantsOf, takesShort } from './slots.js'
import type { Worker } from './state.js'

/**
 * The workers with room, those with the fewest tasks per slot first, and of equals who came first: a binary heap, so that
 * a task finds its worker among ten thousand as fast as among ten.
 */
export interface Vacancies {
  /** Gives the worker the place that it has now. To be told whenever it may have got room, or more or fewer tasks. */
  update(worker: Worker): void
  /** Whether the worker may be found. */
  has(worker: Worker): boolean
  /** The worker with the fewest tasks per slot that has room for a task that should run so long. */
  best(expectedMs: number | undefined): Worker | undefined
}

interface Entry {
  readonly worker: Worker
  readonly order: number
  load: number
  heapAt: number
}

/** Whether the worker has room at all, and whether it has for a task that should run so long. */
export interface RoomRule {
  takesAny(worker: Worker): boolean
  takes(worker: Worker, expectedMs: number | undefined): boolean
}

/** Room for tasks that take one slot. */
const slotRule: RoomRule = { takesAny: takesShort, takes: hasRoom }

export function createVacancies(workers: ReadonlyMap<WorkerId, Worker>, rule: RoomRule = slotRule): Vacancies {
  const entries = new WeakMap<Worker, Entry>()
  const heap = new IndexedHeap<Entry>(isBefore)
  let known = 0

  const entryOf = (worker: Worker): Entry => {
    let entry = entries.get(worker)
    if (entry === undefined) entries.set(worker, (entry = { worker, order: known++, load: 0, heapAt: -1 }))
    return entry
  }
  return {
    update: (worker) => {
      const entry = entryOf(worker)
      if (!rule.takesAny(worker)) return heap.remove(entry)
      entry.load = occupantsOf(worker) / worker.profile.slots
      heap.place(entry)
    },
    has: (worker) => (entries.get(worker)?.heapAt ?? -1) >= 0,
    best: (expectedMs) => {
      for (let first = heap.first(); first !== undefined; first = heap.first()) {
        const { worker } = first
        // Nobody says when a worker stops taking tasks, or is gone.
        if (rule.takesAny(worker) && workers.get(worker.profile.workerId) === worker) {
          // Those behind it have no free slot either.
          return rule.takes(worker, expectedMs) ? worker : undefined
        }
        heap.remove(first)
      }
      return undefined
    },
  }
}

function isBefore(a: Entry, b: Entry): boolean {
  return a.load < b.load || (a.load === b.load && a.order < b.order)
}
