import { collectGarbage, touch } from './collection.js'
import { answer, type Out } from './effect.js'
import { emit } from './emit.js'
import type { EventOf } from './event.js'
import { type Body, chunksOf, type Digest, type State } from './state.js'

/** Keeps a blob that is here: for whoever claims it, or from now on for its own sake. */
export function keepFor(state: State, body: Body, claimant: string | undefined, atMs: number, out: Out): void {
  const { digest } = body
  const known = state.blobs.get(digest)
  if (claimant === undefined) {
    if (known && !known.isClaimed) touch(state, out, known, atMs)
    else emit(state, out, { kind: 'blobKept', atMs, body })
    return
  }
  if (known) touch(state, out, known, atMs)
  else emit(state, out, { kind: 'blobKept', atMs, body, isClaimed: true })
  if (!state.claims.get(digest)?.has(claimant)) emit(state, out, { kind: 'blobClaimed', digest, claimant })
}

/** Ends claims. A blob that is kept for nothing else goes with the last one. */
export function releaseBlobs(state: State, event: EventOf<'blobsReleased'>, out: Out): void {
  for (const { digest, claimant } of event.claims) {
    if (!state.claims.get(digest)?.has(claimant)) continue
    emit(state, out, { kind: 'blobReleased', digest, claimant })
    if (state.claims.has(digest) || !state.blobs.get(digest)?.isClaimed) continue
    dropBlob(state, digest, out)
  }
  answer(out, event, null)
}

/** Whose claims nobody ended, and nobody has used for long: their scheduler is gone. */
export function dropUnusedClaims(state: State, atMs: number, out: Out): void {
  for (const { body, isClaimed, lastUsedMs } of [...state.blobs.values()]) {
    if (!isClaimed || lastUsedMs > atMs - state.policy.keepResultsForMs) continue
    const { digest } = body
    for (const claimant of [...(state.claims.get(digest) ?? [])]) {
      emit(state, out, { kind: 'blobReleased', digest, claimant })
    }
    dropBlob(state, digest, out)
  }
}

function dropBlob(state: State, digest: Digest, out: Out): void {
  const body = state.blobs.get(digest)?.body
  emit(state, out, { kind: 'blobDropped', digest })
  collectGarbage(state, out, chunksOf(body))
}
