import type { MemoryPolicy } from './memory-policy.js'
import type { ObjectStore } from './object-store.js'

/** After so long without any room one comes in all the same: what waits for what waits would wait for ever. */
const mostWaitMs = 2_000

/** Says whether more fits into the worker's memory. */
export interface MemoryRoom {
  has(byteLength: number): boolean
  /** Resolves when it fits, with memory set aside; the answer gives it back. One after another, in their order. */
  take(byteLength: number): Promise<() => void>
  /** Somebody waits. */
  readonly isWanted: boolean
  /** There may be room by now: lets in who waited. */
  admit(): void
  /** 0 for none. */
  readonly limitBytes: number
}

/** `rssBytes` is the resident memory of the worker with the processes of its slots. */
export function createMemoryRoom(
  store: ObjectStore,
  policy: MemoryPolicy,
  rssBytes: () => number,
  now: () => number = () => performance.now(),
): MemoryRoom {
  const { limitBytes, fullBytes, pauseBytes } = policy
  const waiting: { readonly byteLength: number; readonly enter: () => void }[] = []
  let enteredAtMs = 0

  const has = (byteLength: number): boolean => {
    if (limitBytes === 0) return true
    const comingBytes = store.arrivingBytes + byteLength
    return store.heldBytes + comingBytes <= fullBytes && rssBytes() + comingBytes <= pauseBytes
  }

  return {
    limitBytes,
    has,
    take: async (byteLength) => {
      if (waiting.length > 0 || !has(byteLength)) {
        if (waiting.length === 0) enteredAtMs = now()
        await new Promise<void>((enter) => waiting.push({ byteLength, enter }))
      }
      return store.expect(byteLength)
    },
    get isWanted() {
      return waiting.length > 0
    },
    admit: () => {
      const [first] = waiting
      if (first === undefined || (!has(first.byteLength) && now() - enteredAtMs < mostWaitMs)) return
      waiting.shift()
      enteredAtMs = now()
      first.enter()
    },
  }
}
