import type { MemoryPolicy } from './memory-policy.js'
import type { Spilling } from './spilling.js'

const watchMs = 100
/** Collecting costs more than looking. */
const looksPerCollect = 4

/** What a watch looks at, and whom it tells. */
export interface MemoryWatchPorts {
  /** The worker with the processes of its slots. */
  readonly rssBytes: () => number
  /** Whether a task runs in a slot: it may end, and give memory back. */
  readonly isBusy: () => boolean
  readonly spilling: Pick<Spilling, 'relieve' | 'canRelieve'> | undefined
  /** Gives back what is not used any more. */
  readonly collect: () => void
  readonly pressed: (isPaused: boolean) => void
}

/** Watches how full the worker's memory is. */
export interface MemoryWatch {
  readonly isPaused: boolean
  look(): void
  stop(): void
}

/** Looks ten times a second, where there is a limit. */
export function watchMemory(policy: MemoryPolicy, ports: MemoryWatchPorts): MemoryWatch {
  const { spilling, rssBytes, isBusy, collect, pressed } = ports
  let isPaused = false
  let untilCollect = 0

  function look(): void {
    const isNearlyFull = rssBytes() >= (isPaused ? policy.resumeBytes : policy.pauseBytes)
    spilling?.relieve(isNearlyFull)
    if (isNearlyFull && untilCollect-- <= 0) {
      collect()
      untilCollect = looksPerCollect
    }
    // What neither a task nor the disk will take away goes on for ever: then tasks go on, too, as far as the supervisor lets them.
    const isPausedNow = isNearlyFull && (isBusy() || (spilling?.canRelieve ?? false))
    if (isPausedNow === isPaused) return
    isPaused = isPausedNow
    pressed(isPaused)
  }

  const timer = policy.limitBytes > 0 ? setInterval(look, watchMs).unref() : undefined
  return {
    get isPaused() {
      return isPaused
    },
    look,
    stop: () => clearInterval(timer),
  }
}
