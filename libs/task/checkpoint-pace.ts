import type { CheckpointInfo } from './context.js'

/** Decides which of the saves that a task asks for are done, when it wants one only every so often. */
export class CheckpointPace {
  #savedAtMs: number
  #savedIteration = 0
  #callsSince = 0

  /** The first save is due one interval after this. */
  constructor(nowMs: number) {
    this.#savedAtMs = nowMs
  }

  /** The task goes on from here. */
  resumeAt(nowMs: number, iteration: number | undefined): void {
    this.#savedAtMs = nowMs
    this.#savedIteration = iteration ?? 0
  }

  /** Whether this save is done; `isLeaving` when there may be no other. */
  isDue({ every, iteration }: CheckpointInfo, nowMs: number, isLeaving: boolean): boolean {
    this.#callsSince++
    const done = iteration === undefined ? this.#callsSince : iteration - this.#savedIteration
    const isDue =
      every === undefined ||
      isLeaving ||
      (every.ms !== undefined && nowMs - this.#savedAtMs >= every.ms) ||
      (every.iterations !== undefined && done >= every.iterations)
    if (!isDue) return false
    this.#savedAtMs = nowMs
    this.#savedIteration = iteration ?? 0
    this.#callsSince = 0
    return true
  }
}
