import type { MemoryPolicy } from './memory-policy.js'
import type { MemoryRoom } from './memory-room.js'
import type { Spilling } from './spilling.js'

const watchMs = 100
/** While memory is nearly full or somebody waits for room: collecting costs more than looking. */
const looksPerCollect = 4
/** Over the target, what came since the last collection may be garbage by now: so much of the limit is worth another one. */
const garbageShare = 1 / 16
/** What grows by this share of the limit is looked at without waiting: results come faster than ten times a second. */
const growthShare = 1 / 32

/** What a watch looks at, and whom it tells. */
export interface MemoryWatchPorts {
  /** The worker with the processes of its slots. */
  readonly rssBytes: () => number
  /** Whether a task runs in a slot: it may end, and give memory back. */
  readonly isBusy: () => boolean
  readonly room: Pick<MemoryRoom, 'isWanted' | 'admit'>
  readonly spilling: Pick<Spilling, 'relieve' | 'canRelieve'> | undefined
  /** Gives back what is not used any more. */
  readonly collect: () => void
  readonly pressed: (isPaused: boolean) => void
}

/** Watches how full the worker's memory is. */
export interface MemoryWatch {
  readonly isPaused: boolean
  look(): void
  /** So much more is in memory. */
  grew(byteLength: number): void
  stop(): void
}

/** Looks ten times a second and whenever much has come, where there is a limit. */
export function watchMemory(policy: MemoryPolicy, ports: MemoryWatchPorts): MemoryWatch {
  const { spilling, room, rssBytes, isBusy, collect, pressed } = ports
  let isPaused = false
  let untilCollect = 0
  let grownBytes = 0
  /** The least that was seen since the last collection: its effect shows late. */
  let leastBytes = 0

  function look(): void {
    grownBytes = 0
    const bytes = rssBytes()
    const isNearlyFull = bytes >= (isPaused ? policy.resumeBytes : policy.pauseBytes)
    spilling?.relieve(isNearlyFull)
    leastBytes = Math.min(leastBytes, bytes)
    const hasGrown = bytes > policy.targetBytes && bytes - leastBytes > policy.limitBytes * garbageShare
    if (hasGrown || ((isNearlyFull || room.isWanted) && untilCollect-- <= 0)) {
      collect()
      untilCollect = looksPerCollect
      leastBytes = bytes
    }
    room.admit()
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
    grew: (byteLength) => {
      grownBytes += byteLength
      if (policy.limitBytes > 0 && grownBytes >= policy.limitBytes * growthShare) look()
    },
    stop: () => clearInterval(timer),
  }
}
