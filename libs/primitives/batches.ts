import { TaskError, type TaskFuture } from '#libs/client'

import type { Run } from './run.js'

/** Items from `from` up to, but not with, `to`. */
export interface Range {
  readonly from: number
  readonly to: number
}

/** What a batch task gives back of the items that it was given. */
export interface Batch {
  /** How many of its items it did, from the first on, at least one: it stops at the end of its time. */
  readonly done: number
  /** How long they took. */
  readonly elapsedMs: number
}

/** How items become batches. */
export interface Batching<B extends Batch> {
  /** How many tasks run at the same time, as far as is known now. */
  readonly slots: () => number
  /** A batch stops when so much time is over, and gives back the rest of its items. */
  readonly budgetMs: number
  /** Batches hold a multiple of so many items. */
  readonly grain?: number
  /** Submits a task for each of the ranges. */
  readonly submit: (ranges: readonly Range[]) => readonly TaskFuture<B>[]
  /** Takes what a batch did; false says that no more is needed. */
  readonly onBatch: (range: Range, batch: B) => boolean
  /**
   * Takes an item whose task failed, not by what it did with an item but as a whole: its process died. Of a batch that fails each
   * item is tried alone first. Unless given, such a failure ends it all.
   */
  readonly onFailed?: (item: number, error: TaskError) => void
}

/** What one round of batches, one for each slot, takes of the items that are left. */
const partOfRound = 3 / 4
/**
 * While nobody knows how long an item takes, no batch is smaller than this part of a slot's share: a second round takes all that the first
 * has left. Each further round took 8 of 350 ms, more than an even end of so short a run is worth.
 */
const piecesPerSlot = 4
/** Once it is known, no batch takes less time than this: each costs 2 to 3 ms of the services' processors. */
const leastBatchMs = 25
/** Clocks have an end to their digits. */
const leastElapsedMs = 1e-3

/**
 * Does items in batches that nobody has to size. Batches begin large and become smaller, so that all slots end at the same time
 * (factoring: Hummel, Schonberg & Flynn 1992). Nobody knows how long an item takes, so a batch stops when its time is over, and the
 * rest of its items comes back into the line, in pieces that fit. Batches come back in any order.
 */
export async function runBatches<B extends Batch>(run: Run, items: Range, batching: Batching<B>): Promise<void> {
  const { slots, budgetMs, grain = 1, submit, onBatch, onFailed } = batching
  await new Promise<void>((resolve, reject) => {
    let open = 0
    let isOver = false
    const start = (ranges: readonly Range[]): void => {
      open += ranges.length
      for (const [index, future] of run.keep(submit(ranges)).entries()) {
        const range = ranges[index]!
        future.onResult(
          (batch) => take(range, batch),
          (error) => salvage(range, error),
        )
      }
    }
    const take = ({ from, to }: Range, batch: B): void => {
      open--
      if (isOver) return
      const middle = from + batch.done
      try {
        isOver = !onBatch({ from, to: middle }, batch)
        if (!isOver && middle < to) {
          const itemsPerMs = batch.done / Math.max(batch.elapsedMs, leastElapsedMs)
          const sizes = { least: Math.ceil(leastBatchMs * itemsPerMs), most: Math.floor(budgetMs * itemsPerMs) }
          // Behind all others in the line they are the last to end: in one piece they would leave the other slots idle.
          start(factoredRanges({ from: middle, to }, { slots: slots(), grain, ...sizes }))
        }
      } catch (error) {
        reject(asError(error))
      }
      if (isOver || open === 0) resolve()
    }
    const salvage = ({ from, to }: Range, error: unknown): void => {
      open--
      if (isOver) return
      if (onFailed === undefined || !(error instanceof TaskError) || error.kind === 'cancelled') {
        reject(asError(error))
        return
      }
      if (to - from === 1) onFailed(from, error)
      else start(Array.from({ length: to - from }, (_, k) => ({ from: from + k, to: from + k + 1 })))
      if (open === 0) resolve()
    }
    start(factoredRanges(items, { slots: slots(), grain, least: leastSize(items, slots(), grain) }))
  })
}

/** How large ranges are, in items. */
export interface RangeSizes {
  readonly slots: number
  /** Sizes are multiples of it, above `most` if that is smaller. */
  readonly grain: number
  readonly least: number
  readonly most?: number
}

/** Ranges in rounds of one for each slot; each round takes the same part of what the rounds before have left. */
export function factoredRanges({ from, to }: Range, { slots, grain, least, most = Infinity }: RangeSizes): Range[] {
  const ranges: Range[] = []
  let size = 0
  for (let at = from; at < to;) {
    if (ranges.length % slots === 0) {
      const share = Math.ceil(Math.max(least, ((to - at) * partOfRound) / slots) / grain)
      size = Math.max(1, Math.min(share, Math.floor(most / grain))) * grain
    }
    const end = Math.min(to, at + size)
    ranges.push({ from: at, to: end })
    at = end
  }
  return ranges
}

/** The size of the smallest batch of so many items whose times nobody knows. */
export function leastSize({ from, to }: Range, slots: number, grain: number): number {
  return Math.max(1, Math.floor((to - from) / (slots * piecesPerSlot) / grain)) * grain
}

function asError(error: unknown): Error {
  return error instanceof Error ? error : new Error(String(error))
}
