import { findVersion } from './catalogue.js'
import { collectGarbage, touch } from './collection.js'
import { answer, type Out, refuse, type Refusal } from './effect.js'
import type { EventOf } from './event.js'
import { type Blob, type CheckpointVersion, type Digest, isLive, partsOf, type State } from './state.js'

/** Lets a get read: its blobs stay on disk until it is closed. */
export function openGet(state: State, event: EventOf<'getOpened'>, out: Out): void {
  const { target } = event
  if (target.kind === 'blob') {
    const blob = state.blobs.get(target.digest)
    if (blob === undefined || !isLive(blob)) return refuse(out, event, blobNotFound(target.digest))
    if (blob.health !== 'sound')
      return refuse(out, event, damaged(`blob ${target.digest}`, blob.health, 'put it again'))
    if (blob.kept) touch(state, out, blob, event.atMs)
    pin(state, event.getId, [blob])
    return answer(out, event, { kind: 'blob', digest: blob.digest, byteLength: blob.byteLength })
  }
  const found = findVersion(state, target.name, target.version)
  if ('code' in found) return refuse(out, event, found)
  const blobs = blobsOf(state, found)
  const bad = blobs.find(({ health }) => health !== 'sound')
  if (bad) {
    const what = `version ${found.version} of checkpoint ${target.name}`
    return refuse(out, event, damaged(what, bad.health, adviceFor(state, target.name)))
  }
  pin(state, event.getId, blobs)
  answer(out, event, { kind: 'checkpoint', name: target.name, version: found })
}

/** Lets go what a get has read. */
export function closeGet(state: State, { getId }: EventOf<'getClosed'>, out: Out): void {
  const digests = state.gets.get(getId) ?? []
  state.gets.delete(getId)
  for (const digest of digests) {
    const blob = state.blobs.get(digest)!
    blob.readers--
    if (blob.readers === 0) collectGarbage(state, out, digest)
  }
}

function pin(state: State, getId: number, blobs: readonly Blob[]): void {
  for (const blob of blobs) blob.readers++
  const digests: Digest[] = blobs.map(({ digest }) => digest)
  state.gets.set(getId, digests)
}

function blobsOf(state: State, version: CheckpointVersion): Blob[] {
  return partsOf(version).map(({ digest }) => state.blobs.get(digest)!)
}

function blobNotFound(digest: Digest): Refusal {
  const message = `blob ${digest} is not here: put it again, or look whether it was pruned for want of room`
  return { code: 'NOT_FOUND', reason: 'BLOB_NOT_FOUND', message, metadata: { digest } }
}

function damaged(what: string, health: Blob['health'], advice: string): Refusal {
  const finding = health === 'missing' ? 'is gone from the disk' : 'is not on disk as it was stored'
  return { code: 'DATA_LOSS', reason: 'BLOB_DAMAGED', message: `${what} ${finding}: ${advice}` }
}

function adviceFor(state: State, name: string): string {
  const versions = state.checkpoints.get(name)?.versions ?? []
  const sound = versions.findLast((version) => blobsOf(state, version).every(({ health }) => health === 'sound'))
  return sound ? `version ${sound.version} is sound, load that one` : 'no version of it is sound; save it again'
}
