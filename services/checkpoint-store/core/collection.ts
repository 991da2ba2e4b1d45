import { answer, type Out } from './effect.js'
import { emit } from './emit.js'
import type { EventOf } from './event.js'
import { type Blob, type Chunk, type ChunkRef, type Digest, type State, usePrecisionMs } from './state.js'

/** Has the files of those chunks deleted that nothing needs. */
export function collectGarbage(state: State, out: Out, chunks: Iterable<Pick<ChunkRef, 'digest'>>): void {
  for (const { digest } of chunks) {
    const chunk = state.chunks.get(digest)
    if (chunk === undefined || isGarbage(chunk)) out.effects.push({ kind: 'collectChunk', digest })
  }
}

/** Says whether the file may go now: since the effect, somebody may have begun to rely on it or have put it again. */
export function collectChunk(state: State, event: EventOf<'collectionDue'>, out: Out): void {
  const chunk = state.chunks.get(event.digest)
  const collect = chunk === undefined || isGarbage(chunk)
  if (collect) state.chunks.delete(event.digest)
  answer(out, event, collect)
}

/** A chunk that is not sound is not given out; putting it again heals it. */
export function noteHealth(state: State, { digest, health }: EventOf<'chunkExamined'>): void {
  const chunk = state.chunks.get(digest)
  if (chunk) chunk.health = health
}

/** Remembers that a blob was used. */
export function touch(state: State, out: Out, { body, lastUsedMs, isClaimed }: Blob, atMs: number): void {
  if (atMs - lastUsedMs < usePrecisionMs) return
  emit(state, out, { kind: 'blobKept', atMs, body, ...(isClaimed ? { isClaimed } : {}) })
}

/** Keeps the files of these chunks until whoever relies on them is done. */
export function pin(state: State, owner: string, digests: readonly Digest[]): void {
  const pinned = state.pins.get(owner) ?? []
  state.pins.set(owner, pinned)
  for (const digest of digests) {
    const chunk = state.chunks.get(digest)
    if (chunk === undefined) throw new Error(`chunk ${digest} is relied on and unknown`)
    chunk.pins++
    pinned.push(digest)
  }
}

export function unpin(state: State, owner: string, out: Out): void {
  const digests = state.pins.get(owner) ?? []
  state.pins.delete(owner)
  for (const digest of digests) state.chunks.get(digest)!.pins--
  collectGarbage(
    state,
    out,
    [...new Set(digests)].map((digest) => ({ digest })),
  )
}

function isGarbage({ references, pins }: Chunk): boolean {
  return references === 0 && pins === 0
}
