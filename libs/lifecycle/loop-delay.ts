import { monitorEventLoopDelay } from 'node:perf_hooks'

/** How late this process's event loop is. */
export interface LoopDelay {
  /** The worst delay since the last call, whole milliseconds. */
  takeMaxMs(): number
  close(): void
}

/** How often the loop is looked at: shorter delays are not seen, nor what happens before the first look. */
const resolutionMs = 10

export function createLoopDelay(): LoopDelay {
  const histogram = monitorEventLoopDelay({ resolution: resolutionMs })
  histogram.enable()
  return {
    takeMaxMs: () => {
      // What is measured is the time between two looks.
      const maxMs = Math.max(0, Math.round(histogram.max / 1e6) - resolutionMs)
      histogram.reset()
      return maxMs
    },
    close: () => void histogram.disable(),
  }
}
