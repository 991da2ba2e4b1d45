import type { WorkerId } from '#libs/domain'

import { hasRoom, takesShort } from './slots.js'
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
  /** In the heap; -1 outside. */
  at: number
}

export function createVacancies(workers: ReadonlyMap<WorkerId, Worker>): Vacancies {
  const entries = new WeakMap<Worker, Entry>()
  const heap: Entry[] = []
  let known = 0

  const entryOf = (worker: Worker): Entry => {
    let entry = entries.get(worker)
    if (entry === undefined) entries.set(worker, (entry = { worker, order: known++, load: 0, at: -1 }))
    return entry
  }
  const put = (entry: Entry, at: number): void => {
    heap[at] = entry
    entry.at = at
  }
  /** Moves an entry to where it belongs, starting at a place that is free for it. */
  const settle = (entry: Entry, from: number): void => {
    let at = from
    for (let parent = (at - 1) >> 1; at > 0 && isBefore(entry, heap[parent]!); parent = (at - 1) >> 1) {
      put(heap[parent]!, at)
      at = parent
    }
    for (let child = lesserChild(at); child !== undefined && isBefore(heap[child]!, entry); child = lesserChild(at)) {
      put(heap[child]!, at)
      at = child
    }
    put(entry, at)
  }
  const lesserChild = (at: number): number | undefined => {
    const left = 2 * at + 1
    if (left >= heap.length) return undefined
    return left + 1 < heap.length && isBefore(heap[left + 1]!, heap[left]!) ? left + 1 : left
  }
  const remove = (entry: Entry): void => {
    const last = heap.pop()!
    if (last !== entry) settle(last, entry.at)
    entry.at = -1
  }
  return {
    update: (worker) => {
      const entry = entryOf(worker)
      if (!takesShort(worker)) {
        if (entry.at >= 0) remove(entry)
        return
      }
      entry.load = worker.tasks.size / worker.profile.slots
      settle(entry, entry.at >= 0 ? entry.at : heap.length)
    },
    has: (worker) => (entries.get(worker)?.at ?? -1) >= 0,
    best: (expectedMs) => {
      for (let first = heap[0]; first !== undefined; first = heap[0]) {
        const { worker } = first
        // Nobody says when a worker stops taking tasks, or is gone.
        if (takesShort(worker) && workers.get(worker.profile.workerId) === worker) {
          // Those behind it have no free slot either.
          return hasRoom(worker, expectedMs) ? worker : undefined
        }
        remove(first)
      }
      return undefined
    },
  }
}

function isBefore(a: Entry, b: Entry): boolean {
  return a.load < b.load || (a.load === b.load && a.order < b.order)
}
