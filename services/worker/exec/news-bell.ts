/** Nothing that was said is unheard. */
const silent = 0
/** How soon the other side is to hear what was said. */
export const ringLater = 1
export const ringNow = 2
export type Ring = typeof ringLater | typeof ringNow

/**
 * Whether the other thread was told that there is something to hear, and how soon it is to. To be told costs it part of a millisecond
 * on a busy machine, so it is told once until it has heard.
 */
export type NewsBell = Int32Array<SharedArrayBuffer>

export function createNewsBell(): NewsBell {
  return new Int32Array(new SharedArrayBuffer(4))
}

/** The side that speaks, after it has: returns whether the other one is to be told. */
export function raise(bell: NewsBell, ring: Ring): boolean {
  if (Atomics.load(bell, 0) >= ring) return false
  Atomics.store(bell, 0, ring)
  return true
}

/** The side that hears, before it does: what is said from now on is told again. */
export function silence(bell: NewsBell): void {
  Atomics.store(bell, 0, silent)
}
