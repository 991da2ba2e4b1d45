import { LRUCache } from 'lru-cache'

import type { FetchedInput } from './fetched-input.js'

/** A value taken apart, which nobody changes. */
export type FetchedBody = Extract<FetchedInput, { readonly kind: 'body' }>

/** Inputs that were fetched, kept for the tasks that come next: those of a sweep often take the same ones. */
export interface InputCache {
  /** What was kept under a name that stands for the same bytes for ever. */
  get(name: string): FetchedBody | undefined
  keep(name: string, body: FetchedBody): void
}

/** Memory goes back when nobody has asked for about so long. */
const unusedMs = 60_000

/** Keeps at most so many bytes, those that were asked for last; with none it keeps nothing. */
export function createInputCache(mostBytes: number): InputCache {
  if (mostBytes < 1) return { get: () => undefined, keep: () => undefined }
  const bodies = new LRUCache<string, FetchedBody>({
    maxSize: Math.floor(mostBytes),
    sizeCalculation: ({ bytes }) => Math.max(1, bytes.byteLength),
    ttl: unusedMs,
    updateAgeOnGet: true,
    perf: { now: () => performance.now() },
  })
  setInterval(() => bodies.purgeStale(), unusedMs / 2).unref()
  return {
    get: (name) => bodies.get(name),
    keep: (name, body) => void bodies.set(name, body),
  }
}
