/** A shorter body says more about the way there than about what it carries. */
const leastBytes = 2 ** 20
/** The weight of the newest. */
const newestWeight = 0.2

/** How fast bodies come from elsewhere. */
export interface FetchSpeed {
  /** Smoothed; 0 before the first. */
  readonly bytesPerSecond: number
  learn(byteLength: number, ms: number): void
}

export function createFetchSpeed(): FetchSpeed {
  let bytesPerSecond = 0
  return {
    get bytesPerSecond() {
      return bytesPerSecond
    },
    learn: (byteLength, ms) => {
      if (byteLength < leastBytes || ms <= 0) return
      const newest = (1_000 * byteLength) / ms
      bytesPerSecond = Math.round(
        bytesPerSecond === 0 ? newest : bytesPerSecond + newestWeight * (newest - bytesPerSecond),
      )
    },
  }
}
