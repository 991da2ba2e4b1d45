import { isDeepStrictEqual } from 'node:util'

/** A stream of which only the newest matters: who reads slowly misses what was in between, and nothing piles up. */
export interface Level<T> extends AsyncIterable<T> {
  /** Says nothing when the level is what it was. */
  set(value: T): void
  end(): void
}

/** Says this value first, unless a newer one has come before anybody read. */
export function createLevel<T>(first: T): Level<T> {
  let level = first
  let newest: { readonly value: T } | undefined = { value: first }
  let ended = false
  let wake: () => void = () => undefined
  const isEnded = (): boolean => ended
  return {
    set: (value) => {
      if (isDeepStrictEqual(value, level)) return
      level = value
      newest = { value }
      wake()
    },
    end: () => {
      ended = true
      wake()
    },
    async *[Symbol.asyncIterator]() {
      while (!isEnded()) {
        const next = newest
        newest = undefined
        if (next) yield next.value
        else await new Promise<void>((resolve) => (wake = resolve))
      }
    },
  }
}
