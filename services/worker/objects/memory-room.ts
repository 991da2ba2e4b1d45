import type { MemoryPolicy } from './memory-policy.js'
import type { ObjectStore } from './object-store.js'

/** Says whether more fits into the worker's memory. */
export interface MemoryRoom {
  has(byteLength: number): boolean
  /** 0 for none. */
  readonly limitBytes: number
}

/** `rssBytes` is the resident memory of the worker with the processes of its slots. */
export function createMemoryRoom(store: ObjectStore, policy: MemoryPolicy, rssBytes: () => number): MemoryRoom {
  const { limitBytes, fullBytes, pauseBytes } = policy
  return {
    limitBytes,
    has: (byteLength) => {
      if (limitBytes === 0) return true
      const comingBytes = store.arrivingBytes + byteLength
      return store.heldBytes + comingBytes <= fullBytes && rssBytes() + comingBytes <= pauseBytes
    },
  }
}
