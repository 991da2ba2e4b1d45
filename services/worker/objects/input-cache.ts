import { LRUCache } from 'lru-cache'

import type { FetchedInput } from './fetched-input.js'

/** A value taken apart, which nobody changes. */
export type FetchedBody = Extract<FetchedInput, { readonly kind: 'body' }>

/** Inputs that were fetched, kept for the tasks that come next: those of a sweep often take the same ones. */
export interface InputCache {
  /** What was kept under a name that stands for the same bytes for ever. */
  get(name: string): FetchedBody | undefined
  /**
   * Keeps what came for so many takers. A large body that one alone wants is kept only when it comes for the second time: before, he
   * can have it for himself, and it says so.
   */
  keep(name: string, body: FetchedBody, takers: number): FetchedBody
}

/** From here on most that a task takes is for it alone, and keeping it costs as much again as fetching it. */
const largeBytes = 2 ** 20
/** How many names of large bodies that came once are remembered. */
const mostNames = 1_000

/** Memory goes back when nobody has asked for about so long. */
const unusedMs = 60_000

/** Keeps at most so many bytes, those that were asked for last; with none it keeps nothing. */
export function createInputCache(mostBytes: number): InputCache {
  if (mostBytes < 1) return { get: () => undefined, keep: (_name, body) => body }
  const bodies = new LRUCache<string, FetchedBody>({
    maxSize: Math.floor(mostBytes),
    sizeCalculation: ({ bytes }) => Math.max(1, bytes.byteLength),
    ttl: unusedMs,
    updateAgeOnGet: true,
    perf: { now: () => performance.now() },
  })
  const cameOnce = new LRUCache<string, true>({ max: mostNames })
  setInterval(() => bodies.purgeStale(), unusedMs / 2).unref()
  return {
    get: (name) => bodies.get(name),
    keep: (name, body, takers) => {
      if (takers === 1 && body.bytes.byteLength >= largeBytes && !cameOnce.has(name)) {
        cameOnce.set(name, true)
        return { ...body, isSpare: true }
      }
      bodies.set(name, body)
      return body
    },
  }
}
