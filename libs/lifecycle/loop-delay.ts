import { monitorEventLoopDelay } from 'node:perf_hooks'

/** How late this process's event loop is. */
export interface LoopDelay {
  /** The worst delay since the last call, whole milliseconds. */
  takeMaxMs(): number
  close(): void
}

/**
 * How often the loop is looked at: what is shorter may not be seen, nor what happens before the first look. Not more often: every look
 * wakes the process, and a hundred a second took 5 ms of it.
 */
const resolutionMs = 100

/** Looks from the first question on: where nobody asks, nothing wakes. */
export function createLoopDelay(): LoopDelay {
  const histogram = monitorEventLoopDelay({ resolution: resolutionMs })
  return {
    takeMaxMs: () => {
      if (histogram.enable()) return 0
      // What is measured is the time between two looks.
      const maxMs = Math.max(0, Math.round(histogram.max / 1e6) - resolutionMs)
      histogram.reset()
      return maxMs
    },
    close: () => void histogram.disable(),
  }
}
