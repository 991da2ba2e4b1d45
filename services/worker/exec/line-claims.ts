/** A task waits in its thread's line, has begun, or was withdrawn before it began. */
const waits = 0
const begun = 1
const withdrawn = 2

const places = 1_024

/**
 * Who has a task that waits in a thread's line: the thread takes it to run it, or the main side takes it back, and exactly
 * one of the two gets it, also while a busy task lets the thread hear nothing.
 */
export type LineClaims = Int32Array<SharedArrayBuffer>

/** A task that has no place among the claims cannot be withdrawn. */
export const noClaim = -1

/** The main side: gives each task a place while it is in the line. */
export class ClaimBook {
  readonly claims: LineClaims = new Int32Array(new SharedArrayBuffer(4 * places))
  readonly #free = Array.from({ length: places }, (_, place) => places - 1 - place)
  readonly #placeOf = new Map<string, number>()

  open(key: string): number {
    const place = this.#free.pop()
    if (place === undefined) return noClaim
    Atomics.store(this.claims, place, waits)
    this.#placeOf.set(key, place)
    return place
  }

  /** Takes the task back; false when it has begun. */
  withdraw(key: string): boolean {
    const place = this.#placeOf.get(key)
    return place !== undefined && Atomics.compareExchange(this.claims, place, waits, withdrawn) === waits
  }

  /** The thread has done with the task: it ended, or was found withdrawn. */
  close(key: string): void {
    const place = this.#placeOf.get(key)
    if (place === undefined) return
    this.#placeOf.delete(key)
    this.#free.push(place)
  }
}

/** The thread's side: takes the task to run it; false when it was withdrawn. */
export function beginClaimed(claims: LineClaims, place: number): boolean {
  return place === noClaim || Atomics.compareExchange(claims, place, waits, begun) === waits
}
