import { keepFor } from './claims.js'
import { collectGarbage, pin, unpin } from './collection.js'
import { answer, type Out, permit, refuse, type Refusal } from './effect.js'
import { emit } from './emit.js'
import type { EventOf, SaveTarget } from './event.js'
import { refuseStale } from './leases.js'
import { refuseReuse, remember } from './requests.js'
import { dropOldVersions } from './retention.js'
import { makeRoom } from './room.js'
import { type Body, chunksOf, etagOf, sizeOf, type State } from './state.js'

/** Takes a put, unless what it brings is here already, it may not overwrite what is here, or there is no room. */
export function openPut(state: State, event: EventOf<'putOpened'>, out: Out): void {
  const { putId, target, byteLength, atMs } = event
  if (target.kind === 'checkpoint') {
    const first = state.requests.get(target.requestId)
    if (first?.kind === 'saved' && first.name === target.name) {
      return answer(out, event, { kind: 'alreadyStored', version: first.version })
    }
    if (first) return refuseReuse(out, event, target.requestId, first)
    const refusal = refuseStale(state, target) ?? refuseOverwrite(state, target)
    if (refusal) return refuse(out, event, refusal)
  } else {
    const blob = state.blobs.get(target.digest)
    if (blob && isSound(state, blob.body)) {
      keepFor(state, blob.body, target.claimant, atMs, out)
      return answer(out, event, { kind: 'alreadyStored', version: 0 })
    }
  }
  const refusal = makeRoom(state, byteLength, atMs, out)
  if (refusal) return refuse(out, event, refusal)
  state.puts.set(putId, byteLength)
  state.reservedBytes += byteLength
  permit(out, event, { kind: 'accepted' })
}

/** Says whether a chunk need not be written, and keeps it until the put is over. */
export function seekChunk(state: State, event: EventOf<'chunkSought'>, out: Out): void {
  const chunk = state.chunks.get(event.digest)
  // A put that is over pins nothing: its sink may still be hashing.
  const isHere = state.puts.has(event.putId) && chunk?.health === 'sound'
  if (isHere) pin(state, ownerOf(event), [event.digest])
  permit(out, event, isHere)
}

/** Forgets a put that came to nothing. */
export function abortPut(state: State, event: EventOf<'putAborted'>, out: Out): void {
  endPut(state, event, out)
  collectGarbage(
    state,
    out,
    event.orphans.map((digest) => ({ digest })),
  )
}

/** Gives back the room of a put that is over, and what it relied on. */
function endPut(state: State, event: { readonly putId: number }, out: Out): void {
  state.reservedBytes -= state.puts.get(event.putId) ?? 0
  state.puts.delete(event.putId)
  unpin(state, ownerOf(event), out)
}

/** Keeps a blob whose bytes are on disk. */
export function storeBlob(state: State, event: EventOf<'blobStored'>, out: Out): void {
  const { body, claimant, atMs } = event
  keepFor(state, body, claimant, atMs, out)
  heal(state, body)
  endPut(state, event, out)
  answer(out, event, null)
}

/** Makes a version of a checkpoint whose bytes are on disk, and drops the old ones that are not kept. */
export function storeCheckpoint(state: State, event: EventOf<'checkpointStored'>, out: Out): void {
  const { target, body, structure } = event
  const { name, requestId } = target
  const first = state.requests.get(requestId)
  const refusal = first === undefined ? (refuseStale(state, target) ?? refuseOverwrite(state, target)) : undefined
  if (first || refusal) {
    // A duplicate that was sent while the first was under way, or one that came too late: nobody may need what it brought.
    collectGarbage(state, out, chunksOf(body, structure))
    endPut(state, event, out)
    if (refusal) return refuse(out, event, refusal)
    if (first?.kind === 'saved' && first.name === name) return answer(out, event, { version: first.version })
    if (first) return refuseReuse(out, event, requestId, first)
  }
  const version = saveVersion(state, event, out)
  heal(state, body, structure)
  endPut(state, event, out)
  answer(out, event, { version })
}

/** Makes a version of a small checkpoint that came whole, unless it is here already, may not be saved, or there is no room. */
export function takeCheckpoint(state: State, event: EventOf<'checkpointCame'>, out: Out): void {
  const { target, body, structure, atMs } = event
  const first = state.requests.get(target.requestId)
  if (first?.kind === 'saved' && first.name === target.name) return answer(out, event, { version: first.version })
  if (first) return refuseReuse(out, event, target.requestId, first)
  const refusal =
    refuseStale(state, target) ??
    refuseOverwrite(state, target) ??
    makeRoom(state, sizeOf({ body, structure }), atMs, out)
  if (refusal) return refuse(out, event, refusal)
  answer(out, event, { version: saveVersion(state, event, out) })
}

function saveVersion(state: State, event: EventOf<'checkpointStored' | 'checkpointCame'>, out: Out): number {
  const { target, body, structure, info, atMs } = event
  const { name, requestId, writerToken } = target
  const version = (state.checkpoints.get(name)?.versions.at(-1)?.version ?? 0) + 1
  emit(state, out, {
    kind: 'versionSaved',
    name,
    version: { version, body, structure, info, savedAtMs: atMs, writerToken },
  })
  remember(state, out, requestId, atMs, { kind: 'saved', name, version })
  dropOldVersions(state, state.checkpoints.get(name)!, atMs, out)
  return version
}

/** Whether all of a body can be read, as far as is known. */
export function isSound(state: State, ...bodies: readonly (Body | undefined)[]): boolean {
  return chunksOf(...bodies).every(({ digest }) => state.chunks.get(digest)?.health === 'sound')
}

function heal(state: State, ...bodies: readonly (Body | undefined)[]): void {
  for (const { digest } of chunksOf(...bodies)) state.chunks.get(digest)!.health = 'sound'
}

function refuseOverwrite(state: State, { name, etag }: SaveTarget): Refusal | undefined {
  if (etag === '') return undefined
  const newest = state.checkpoints.get(name)?.versions.at(-1)
  const actual = newest ? etagOf(newest) : '0'
  if (actual === etag) return undefined
  return {
    code: 'ABORTED',
    reason: 'ETAG_MISMATCH',
    message: `checkpoint ${name} has the etag ${actual}, not ${etag}: somebody saved or deleted it since; load it and decide again`,
    metadata: { name, etag: actual },
  }
}

function ownerOf({ putId }: { readonly putId: number }): string {
  return `put ${putId}`
}
