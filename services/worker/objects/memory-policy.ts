import type { ReuseLimits } from '#libs/memory'

/** From where on which measure is taken against the end of a worker's memory. The last one is its supervisor's, at 95 %. */
export interface MemoryPolicy {
  /** Resident memory of the worker with the processes of its slots; 0 for no limit, and no measures. */
  readonly limitBytes: number
  /** With more than this in objects the oldest are spilled. */
  readonly targetBytes: number
  /** With more than this in objects nothing comes into memory: what is put goes straight to the disk. */
  readonly fullBytes: number
  /** With more resident memory than this no task is started, and everything is spilled. */
  readonly pauseBytes: number
  /** With less than this they are started again. */
  readonly resumeBytes: number
}

/** Memory of bodies that is kept for those that come next: at most so much and so long, and of a limit a share of what is over the first. */
const mostIdleBytes = 2 ** 30
const idleMs = 30_000
const idleShare = 1 / 16
const bytesWithoutIdle = 2 ** 31

const pauseShare = 0.8
const resumeShare = 0.75

/** `targetShare` is the part of the limit that objects may take before some are spilled. */
export function memoryPolicyOf(limitBytes: number, targetShare: number): MemoryPolicy {
  return {
    limitBytes,
    targetBytes: limitBytes * targetShare,
    // Time for the disk: what comes faster than it takes finds it here.
    fullBytes: limitBytes * Math.max(targetShare, (targetShare + pauseShare) / 2),
    pauseBytes: limitBytes * pauseShare,
    resumeBytes: limitBytes * resumeShare,
  }
}

/** What a worker keeps of the memory of bodies that are gone. One whose limit is low needs all of it. */
export function reuseLimitsOf(limitBytes: number): ReuseLimits {
  if (limitBytes === 0) return { mostIdleBytes, idleMs }
  return { mostIdleBytes: Math.min(mostIdleBytes, Math.max(0, limitBytes - bytesWithoutIdle) * idleShare), idleMs }
}
