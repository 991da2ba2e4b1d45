const memoryMs = 5000

export interface RateMeter {
  /** Adds `count` events that happened since the last call. */
  add(count: number, atMs: number): void
  /** Events per second over about the last five seconds; 0 before any event. */
  ratePerS(): number
}

/**
 * A smoothed rate for irregular updates. Events and elapsed time fade with the same exponential weight and are divided
 * only when asked: so the first readings are the plain average, without the bias towards zero of the usual moving average.
 */
export function createRateMeter(startedAtMs: number): RateMeter {
  let events = 0
  let spanMs = 0
  let lastAtMs = startedAtMs
  return {
    add(count, atMs) {
      const passedMs = Math.max(0, atMs - lastAtMs)
      const fade = Math.exp(-passedMs / memoryMs)
      events = events * fade + count
      spanMs = spanMs * fade + passedMs
      lastAtMs = atMs
    },
    ratePerS: () => (spanMs > 0 ? Math.max(0, (events / spanMs) * 1000) : 0),
  }
}
