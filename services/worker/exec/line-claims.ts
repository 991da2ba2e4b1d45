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
  readonly #keyOf = new Map<number, string>()
  /** Where a task is claimed now: one that was withdrawn may come again before the thread has found the withdrawal. */
  readonly #placeOf = new Map<string, number>()

  open(key: string): number {
    this.#placeOf.delete(key)
    const place = this.#free.pop()
    if (place === undefined) return noClaim
    Atomics.store(this.claims, place, waits)
    this.#placeOf.set(key, place)
    this.#keyOf.set(place, key)
    return place
  }

  /** Takes the task back; false when it has begun. */
  withdraw(key: string): boolean {
    const place = this.#placeOf.get(key)
    return place !== undefined && Atomics.compareExchange(this.claims, place, waits, withdrawn) === waits
  }

  /** The thread has done with the task. */
  close(key: string): void {
    const place = this.#placeOf.get(key)
    if (place !== undefined) this.drop(key, place)
  }

  /** The thread dropped the task that had this place. Returns whether that is where it is claimed now. */
  drop(key: string, place: number): boolean {
    const isCurrent = place === (this.#placeOf.get(key) ?? noClaim)
    if (isCurrent) this.#placeOf.delete(key)
    if (this.#keyOf.delete(place)) this.#free.push(place)
    return isCurrent
  }

  /** The thread has only this task left. */
  keepOnly(key: string): void {
    for (const [place, other] of [...this.#keyOf]) if (place !== this.#placeOf.get(key)) this.drop(other, place)
  }
}

/** The thread's side: takes the task to run it; false when it was withdrawn. */
export function beginClaimed(claims: LineClaims, place: number): boolean {
  return place === noClaim || Atomics.compareExchange(claims, place, waits, begun) === waits
}
