import type { Demand } from './demand-class.js'
import { IndexedHeap } from './indexed-heap.js'
import { createQueue, type Queue } from './queue.js'
import type { Job, Task, TaskStatus, Worker } from './state.js'

/** A place in the queue; void once the task is in another status. */
export interface QueuedTask {
  readonly task: Task
  readonly status: TaskStatus
}

const isLive = ({ task, status }: QueuedTask): boolean => task.status === status

/** Queued tasks of one depth. */
interface DepthQueues {
  begun: Queue<QueuedTask> | undefined
  fresh: Queue<QueuedTask> | undefined
}

/**
 * The queued tasks of a job, and of those that its tasks submitted, that need the same. The deepest come first: who waits for
 * them can go on, and a recursion takes as much memory as it is deep. Of one depth, what goes on with what was begun comes
 * before new beginnings, so that results are used up before more are made; in each of the two, first in, first out.
 */
export class Lane {
  /** The first job of the family. */
  readonly job: Job
  readonly group: LaneGroup
  heapAt = -1
  /** When it was served last, or opened, in the order of such events. */
  turn = 0
  /** By depth; nothing of the depths that had no tasks. */
  readonly #depths: (DepthQueues | undefined)[] = []

  constructor(job: Job, group: LaneGroup) {
    this.job = job
    this.group = group
  }

  /** How many places it takes, dead ones included. */
  get length(): number {
    return this.#depths.reduce((sum, of) => sum + (of?.begun?.length ?? 0) + (of?.fresh?.length ?? 0), 0)
  }

  push(entry: QueuedTask): void {
    const queues = (this.#depths[depthOf(entry.task.job)] ??= { begun: undefined, fresh: undefined })
    if (isFresh(entry.task)) (queues.fresh ??= createQueue(isLive)).push(entry)
    else (queues.begun ??= createQueue(isLive)).push(entry)
  }

  peek(): QueuedTask | undefined {
    return this.#first()?.peek()
  }

  shift(): QueuedTask | undefined {
    return this.#first()?.shift()
  }

  values(): QueuedTask[] {
    return this.#depths
      .flatMap((of) => [[...(of?.begun?.values() ?? []), ...(of?.fresh?.values() ?? [])]])
      .reverse()
      .flat()
  }

  /** The queue that is served next; empty depths below which there are none are forgotten. */
  #first(): Queue<QueuedTask> | undefined {
    const depths = this.#depths
    for (; depths.length > 0; depths.length--) {
      const deepest = depths[depths.length - 1]
      if (deepest?.begun?.peek() !== undefined) return deepest.begun
      if (deepest?.fresh?.peek() !== undefined) return deepest.fresh
    }
    return undefined
  }
}

/** How many tasks are above a job. */
export function depthOf({ spec }: Job): number {
  return spec.parent?.depth ?? 0
}

/** A task that takes no results can wait, because nothing is kept in memory for it; one that was given back has waited. */
function isFresh({ spec, attempt, past }: Task): boolean {
  // Ids of results have a slash, those of scattered buffers have none.
  return (attempt === 0 || past !== undefined) && !spec.dependencies.some((objectId) => objectId.includes('/'))
}

/** The lanes of all families for tasks that need the same. */
export class LaneGroup {
  readonly demand: Demand
  readonly lanes = new IndexedHeap<Lane>(isBefore)
  /** Since when some worker is there, but none that could ever take such a task. */
  lackingSinceMs: number | undefined
  /** A worker that takes no others until it has room for one of these. */
  kept: Worker | undefined
  /** When such a worker was sought last. */
  soughtAtMs = -Infinity
  /** Lanes whose turn it is not while tasks are placed now: what is first in them waits for a certain worker. */
  readonly #aside: Lane[] = []

  constructor(demand: Demand) {
    this.demand = demand
  }

  get hasAside(): boolean {
    return this.#aside.length > 0
  }

  /** Others have their turn, until all are brought back. */
  setAside(lane: Lane): void {
    this.lanes.remove(lane)
    this.#aside.push(lane)
  }

  bringBack(): void {
    for (const lane of this.#aside) this.lanes.place(lane)
    this.#aside.length = 0
  }

  /** The lane whose turn it is; empty ones are closed. */
  first(): Lane | undefined {
    for (let lane = this.lanes.first(); lane !== undefined; lane = this.lanes.first()) {
      if (lane.peek() !== undefined) return lane
      this.lanes.remove(lane)
      lane.job.lanes.delete(this)
    }
    return undefined
  }
}

/** Fair shares: the family with the fewest tasks on workers comes first, of equals the one that waits longest for a turn. */
export function isBefore(a: Lane, b: Lane): boolean {
  const byRunning = a.job.onWorkers - b.job.onWorkers
  return byRunning < 0 || (byRunning === 0 && a.turn < b.turn)
}
