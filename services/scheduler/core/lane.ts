import type { Demand } from './demand-class.js'
import { IndexedHeap } from './indexed-heap.js'
import { createQueue, type Queue } from './queue.js'
import type { Job, QueuedTask, Task, Worker } from './state.js'

const isLive = ({ task, status }: QueuedTask): boolean => task.status === status

/**
 * The queued tasks of one job that need the same. What goes on with what was begun comes before new beginnings, so that
 * results are used up before more are made; in each of the two, first in, first out.
 */
export class Lane {
  readonly job: Job
  readonly group: LaneGroup
  /** Which of the job's needs it is for. */
  readonly needs: number
  heapAt = -1
  /** When it was served last, or opened, in the order of such events. */
  turn = 0
  #begun: Queue<QueuedTask> | undefined
  #fresh: Queue<QueuedTask> | undefined

  constructor(job: Job, needs: number, group: LaneGroup) {
    this.job = job
    this.needs = needs
    this.group = group
  }

  /** How many places it takes, dead ones included. */
  get length(): number {
    return (this.#begun?.length ?? 0) + (this.#fresh?.length ?? 0)
  }

  push(entry: QueuedTask): void {
    if (isFresh(entry.task)) (this.#fresh ??= createQueue(isLive)).push(entry)
    else (this.#begun ??= createQueue(isLive)).push(entry)
  }

  peek(): QueuedTask | undefined {
    return this.#begun?.peek() ?? this.#fresh?.peek()
  }

  shift(): QueuedTask | undefined {
    return this.#begun?.shift() ?? this.#fresh?.shift()
  }

  values(): QueuedTask[] {
    return [...(this.#begun?.values() ?? []), ...(this.#fresh?.values() ?? [])]
  }
}

/** A task that takes no results can wait, because nothing is kept in memory for it; one that was given back has waited. */
function isFresh({ spec, attempt, past }: Task): boolean {
  // Ids of results have a slash, those of scattered buffers have none.
  return (attempt === 0 || past !== undefined) && !spec.dependencies.some((objectId) => objectId.includes('/'))
}

/** The lanes of all jobs for tasks that need the same. */
export class LaneGroup {
  readonly demand: Demand
  readonly lanes = new IndexedHeap<Lane>(isBefore)
  /** Since when some worker is there, but none that could ever take such a task. */
  lackingSinceMs: number | undefined
  /** A worker that takes no others until it has room for one of these. */
  kept: Worker | undefined
  /** When such a worker was sought last. */
  soughtAtMs = -Infinity

  constructor(demand: Demand) {
    this.demand = demand
  }

  /** The lane whose turn it is; empty ones are closed. */
  first(): Lane | undefined {
    for (let lane = this.lanes.first(); lane !== undefined; lane = this.lanes.first()) {
      if (lane.peek() !== undefined) return lane
      this.lanes.remove(lane)
      lane.job.lanes[lane.needs] = undefined
    }
    return undefined
  }
}

/** Fair shares: the job with the fewest tasks on workers comes first, of equals the one that waits longest for a turn. */
export function isBefore(a: Lane, b: Lane): boolean {
  const byRunning = a.job.counts.running - b.job.counts.running
  return byRunning < 0 || (byRunning === 0 && a.turn < b.turn)
}
