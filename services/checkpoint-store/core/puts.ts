import { collectGarbage, touch } from './collection.js'
import { answer, type Out, refuse } from './effect.js'
import { emit } from './emit.js'
import type { EventOf } from './event.js'
import { refuseReuse } from './requests.js'
import { dropOldVersions } from './retention.js'
import { makeRoom } from './room.js'
import { type CheckpointVersion, partsOf, type State } from './state.js'

/** Takes a put, unless what it brings is here already, its request id was used for something else, or there is no room. */
export function openPut(state: State, event: EventOf<'putOpened'>, out: Out): void {
  const { putId, target, byteLength, atMs } = event
  if (target.kind === 'checkpoint') {
    const first = state.requests.get(target.requestId)?.answer
    if (first?.kind === 'saved' && first.name === target.name) {
      return answer(out, event, { kind: 'alreadyStored', version: first.version })
    }
    if (first) return refuseReuse(out, event, target.requestId, first)
  } else {
    const blob = state.blobs.get(target.digest)
    if (blob?.health === 'sound' && (blob.kept || blob.references > 0)) {
      if (blob.kept) touch(state, out, blob, atMs)
      else emit(state, out, { kind: 'blobKept', atMs, digest: blob.digest, byteLength: blob.byteLength })
      return answer(out, event, { kind: 'alreadyStored', version: 0 })
    }
  }
  const refusal = makeRoom(state, byteLength, atMs, out)
  if (refusal) return refuse(out, event, refusal)
  state.puts.set(putId, byteLength)
  state.reservedBytes += byteLength
  answer(out, event, { kind: 'accepted' })
}

/** Gives back the room of a put that is over. */
export function abortPut(state: State, { putId }: { readonly putId: number }): void {
  state.reservedBytes -= state.puts.get(putId) ?? 0
  state.puts.delete(putId)
}

/** Keeps a blob whose bytes are on disk. */
export function storeBlob(state: State, event: EventOf<'blobStored'>, out: Out): void {
  const { digest, byteLength, atMs } = event
  abortPut(state, event)
  const known = state.blobs.get(digest)
  if (known?.kept === true) touch(state, out, known, atMs)
  else emit(state, out, { kind: 'blobKept', atMs, digest, byteLength })
  state.blobs.get(digest)!.health = 'sound'
  answer(out, event, null)
}

/** Makes a version of a checkpoint whose bytes are on disk, and drops the oldest ones that are too many. */
export function storeCheckpoint(state: State, event: EventOf<'checkpointStored'>, out: Out): void {
  const { requestId, name, digest, byteLength, structure, info, atMs } = event
  abortPut(state, event)
  const newest = state.checkpoints.get(name)?.versions.at(-1)?.version ?? 0
  const version: CheckpointVersion = { version: newest + 1, digest, byteLength, structure, info, savedAtMs: atMs }
  const first = state.requests.get(requestId)?.answer
  if (first) {
    // A duplicate that was sent while the first was under way: what it brought may be needed by nobody.
    for (const part of partsOf(version)) collectGarbage(state, out, part.digest)
    if (first.kind !== 'saved' || first.name !== name) return refuseReuse(out, event, requestId, first)
    return answer(out, event, { version: first.version })
  }
  emit(state, out, { kind: 'checkpointSaved', requestId, name, version })
  for (const part of partsOf(version)) state.blobs.get(part.digest)!.health = 'sound'
  dropOldVersions(state, state.checkpoints.get(name)!, out)
  answer(out, event, { version: version.version })
}
