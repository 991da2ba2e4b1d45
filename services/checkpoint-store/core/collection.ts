import { answer, type Out } from './effect.js'
import { emit } from './emit.js'
import type { EventOf } from './event.js'
import { type Blob, type Digest, isLive, type State, usePrecisionMs } from './state.js'

/** Has the file of a blob deleted when nothing needs it. */
export function collectGarbage(state: State, out: Out, digest: Digest): void {
  const blob = state.blobs.get(digest)
  if (blob === undefined || !isLive(blob)) out.effects.push({ kind: 'collectBlob', digest })
}

/** Says whether the file may go now: since the effect, somebody may have begun to read it or have put it again. */
export function collectBlob(state: State, event: EventOf<'collectionDue'>, out: Out): void {
  const blob = state.blobs.get(event.digest)
  const collect = blob === undefined || (!isLive(blob) && blob.readers === 0)
  if (collect) state.blobs.delete(event.digest)
  answer(out, event, collect)
}

/** Remembers that a kept blob was used. */
export function touch(state: State, out: Out, blob: Blob, atMs: number): void {
  if (atMs - blob.lastUsedMs < usePrecisionMs) return
  emit(state, out, { kind: 'blobUsed', atMs, digest: blob.digest })
}

/** From now on the blob is not given out; putting it again heals it. */
export function damageBlob(state: State, { digest, health }: EventOf<'blobDamaged'>): void {
  const blob = state.blobs.get(digest)
  if (blob) blob.health = health
}
