import type { WorkerId } from '#libs/domain'
import type { AttemptRef } from '#libs/proto'

/** The longest that a worker waits to hear that an end is on the disk. */
const holdMs = 50
/** So many are said at once. */
const mostHeld = 1_000

/**
 * Acknowledgements of ends that nothing else is said with. A worker needs them to forget the ends, which is not urgent: they go
 * with the next command, so that tasks of some milliseconds wake the worker's main side once each, and not twice.
 */
export class Acknowledgements {
  readonly #held = new Map<WorkerId, AttemptRef[]>()
  readonly #say: (workerId: WorkerId) => void
  #timer: NodeJS.Timeout | undefined

  /** @param say has what is held for a worker taken, and said. */
  constructor(say: (workerId: WorkerId) => void) {
    this.#say = say
  }

  /** Keeps them for the next command; says whether they can wait. */
  hold(workerId: WorkerId, ends: AttemptRef[]): boolean {
    if (ends.length >= mostHeld) return false
    this.#held.set(workerId, ends)
    this.#timer ??= setTimeout(() => {
      this.#timer = undefined
      for (const held of [...this.#held.keys()]) this.#say(held)
    }, holdMs).unref()
    return true
  }

  /** What was held for the worker, which is held no longer. */
  take(workerId: WorkerId): readonly AttemptRef[] {
    const held = this.#held.get(workerId) ?? []
    this.#held.delete(workerId)
    return held
  }
}
