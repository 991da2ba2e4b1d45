import type { QueuedTask } from './lane.js'
import type { Worker } from './state.js'

/** A queued task that waits for a slot of the worker that holds inputs of it. */
export interface HolderWait extends QueuedTask {
  readonly priority: number
  /** What that worker has of its inputs. */
  readonly heldBytes: number
  /** How long it would have taken to bring them to the worker that had room. */
  readonly moveMs: number
  /** How long such tasks run; nothing when that is unknown. */
  readonly runMs: number | undefined
  /** From then on it goes where there is room. */
  readonly untilMs: number
}

interface HolderLine {
  /** The highest priority first, then in the order of coming. Some may be dead. */
  waits: HolderWait[]
  /** How long those whose run time is known would run, one after the other. */
  runMs: number
  /** How many there are of the others. */
  unknown: number
}

/** The tasks that wait for slots of certain workers. None of them stands in the way of those in the queue. */
export class HolderLines {
  readonly #lines = new Map<Worker, HolderLine>()
  readonly #freed = new Set<Worker>()
  /** When they were looked at last. */
  reviewedAtMs = -Infinity

  /** How many workers are waited for. */
  get size(): number {
    return this.#lines.size
  }

  /** To be told whenever the worker may have got room. */
  noteRoom(worker: Worker): void {
    if (this.#lines.has(worker)) this.#freed.add(worker)
  }

  /** The workers that may have got room, until all were served. */
  freed(): readonly Worker[] {
    return this.#freed.size === 0 ? [] : [...this.#freed]
  }

  endRound(): void {
    this.#freed.clear()
  }

  add(worker: Worker, wait: HolderWait): void {
    let line = this.#lines.get(worker)
    if (line === undefined) this.#lines.set(worker, (line = { waits: [], runMs: 0, unknown: 0 }))
    const { waits } = line
    let at = waits.length
    while (at > 0 && (waits[at - 1] as HolderWait).priority < wait.priority) at--
    waits.splice(at, 0, wait)
    count(line, wait, 1)
  }

  /** The first that still waits for the worker. */
  first(worker: Worker): HolderWait | undefined {
    const line = this.#lines.get(worker)
    if (line === undefined) return undefined
    for (let wait = line.waits[0]; wait !== undefined; wait = line.waits[0]) {
      if (isLive(wait)) return wait
      line.waits.shift()
      count(line, wait, -1)
    }
    this.#lines.delete(worker)
    return undefined
  }

  /** How long those that wait for the worker would run together; `Infinity` when that of one is unknown. */
  runMsOf(worker: Worker): number {
    const line = this.#lines.get(worker)
    if (line === undefined) return 0
    return line.unknown > 0 ? Infinity : line.runMs
  }

  /** Forgets those that wait no longer, or for a worker that `isUsable` does not take for one; the latter are returned. */
  sweep(isUsable: (worker: Worker) => boolean): HolderWait[] {
    const ended: HolderWait[] = []
    for (const [worker, line] of this.#lines) {
      const live = line.waits.filter(isLive)
      const usable = isUsable(worker)
      if (!usable) ended.push(...live)
      if (!usable || live.length === 0) this.#lines.delete(worker)
      else if (live.length < line.waits.length) {
        Object.assign(line, { waits: live, runMs: 0, unknown: 0 })
        for (const wait of live) count(line, wait, 1)
      }
    }
    return ended
  }

  /** Those that wait for each worker, in order; some may be dead. */
  *lines(): Generator<readonly [Worker, readonly HolderWait[]]> {
    for (const [worker, { waits }] of this.#lines) yield [worker, waits]
  }

  /** All that wait. */
  *values(): Generator<HolderWait> {
    for (const { waits } of this.#lines.values()) yield* waits.filter(isLive)
  }
}

export function isLive({ task, status }: QueuedTask): boolean {
  return task.status === status
}

function count(line: HolderLine, { runMs }: HolderWait, sign: 1 | -1): void {
  if (runMs === undefined) line.unknown += sign
  else line.runMs = line.waits.length === 0 ? 0 : line.runMs + sign * runMs
}
