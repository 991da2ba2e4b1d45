import { tmpdir } from 'node:os'

import type { ObjectId } from '#libs/domain'
import { findLibC, findReusedMemory, shareSegmented } from '#libs/memory'

import { type MemoryPolicy, memoryPolicyOf, reuseLimitsOf } from './memory-policy.js'
import { createMemoryRoom, type MemoryRoom } from './memory-room.js'
import { type MemoryWatch, watchMemory } from './memory-watch.js'
import { createObjectStore, type ObjectStore } from './object-store.js'
import { openSpillFolder, type SpillFolder } from './spill-folder.js'
import { createSpilling, type Spilling } from './spilling.js'

const leastGivenBackBytes = 2 ** 20

/** What a worker's memory is told to be. */
export interface MemorySettings {
  /** 0 for no limit. */
  readonly memoryLimit: number
  readonly memoryTarget: number
  readonly spillDir?: string | undefined
  readonly spillLimit?: number | undefined
}

/** Whom it asks and tells. */
export interface MemoryPorts {
  /** What the processes of the slots have. */
  readonly childBytes: () => number
  /** Whether a task runs in a slot. */
  readonly isBusy: () => boolean
  /** Gives back what is not used any more. */
  readonly collect: () => void
  readonly pressed: (isPaused: boolean) => void
  readonly lost: (objectId: ObjectId) => void
  readonly warn: (message: string) => void
}

/** A worker's objects, where they are, and what is done before its memory is full. */
export interface WorkerMemory {
  readonly store: ObjectStore
  readonly room: MemoryRoom
  /** Nothing without a limit, or when nothing may be or can be spilled. */
  readonly folder: SpillFolder | undefined
  readonly spilling: Spilling | undefined
  readonly watch: MemoryWatch
  /** Of the process, with those of its slots. */
  readonly rssBytes: () => number
  /** The most of that so far; what the slots' processes had between two looks is not in it. */
  readonly peakRssBytes: () => number
  close(): Promise<void>
}

/** Puts it together. */
export async function openWorkerMemory(settings: MemorySettings, ports: MemoryPorts): Promise<WorkerMemory> {
  const policy = memoryPolicyOf(settings.memoryLimit, settings.memoryTarget)
  const { lost, warn, isBusy, pressed } = ports
  const reused = findReusedMemory()
  shareSegmented()
  reused?.limit(reuseLimitsOf(settings.memoryLimit))
  // Where memory is limited, what is resident must be what is used.
  if (settings.memoryLimit > 0) findLibC()?.giveBackFrom(leastGivenBackBytes)
  const collect = (): void => {
    ports.collect()
    reused?.drop()
  }
  let peakBytes = 0
  const rssBytes = (): number => {
    const bytes = process.memoryUsage.rss() + ports.childBytes()
    peakBytes = Math.max(peakBytes, bytes)
    return bytes
  }
  const grew = (byteLength: number): void => {
    spilling?.press()
    watch.grew(byteLength)
  }
  const store = createObjectStore({ grew, lost }, policy.limitBytes > 0)
  const folder = await openFolder(policy, settings, warn)
  const spilling = folder && createSpilling(store, folder, policy.targetBytes, warn)
  const room = createMemoryRoom(store, policy, rssBytes)
  const watch = watchMemory(policy, { rssBytes, isBusy, room, spilling, collect, pressed })
  return {
    ...{ store, room, folder, spilling, watch, rssBytes },
    // The system counts in KiB what the process had at most.
    peakRssBytes: () => Math.max(peakBytes, process.resourceUsage().maxRSS * 1024),
    close: async () => {
      watch.stop()
      await folder?.close()
    },
  }
}

async function openFolder(
  { limitBytes }: MemoryPolicy,
  { spillDir = tmpdir(), spillLimit }: MemorySettings,
  warn: (message: string) => void,
): Promise<SpillFolder | undefined> {
  if (limitBytes === 0 || spillLimit === 0) return undefined
  try {
    return await openSpillFolder(spillDir, spillLimit)
  } catch (error) {
    warn(`nothing can be spilled: ${(error as Error).message}; start workers with another --spill-dir`)
    return undefined
  }
}
