import { findVersion } from './catalogue.js'
import { pin, touch, unpin } from './collection.js'
import { answer, type Out, refuse, type Refusal } from './effect.js'
import type { EventOf } from './event.js'
import { isSound } from './puts.js'
import { type Body, type CheckpointVersion, chunksOf, type Digest, type State } from './state.js'

/** Lets a get read: its chunks stay on disk until it is closed. */
export function openGet(state: State, event: EventOf<'getOpened'>, out: Out): void {
  const { target, getId } = event
  if (target.kind === 'blob') {
    const blob = state.blobs.get(target.digest)
    if (blob === undefined) return refuse(out, event, blobNotFound(target.digest))
    if (!isSound(state, blob.body)) {
      return refuse(out, event, damaged(state, [blob.body], `blob ${target.digest}`, 'put it again'))
    }
    touch(state, out, blob, event.atMs)
    pinBodies(state, getId, [blob.body])
    return answer(out, event, { kind: 'blob', body: blob.body })
  }
  const found = findVersion(state, target.name, target.version)
  if ('code' in found) return refuse(out, event, found)
  const bodies = [found.body, found.structure]
  if (!isSound(state, ...bodies)) {
    const what = `version ${found.version} of checkpoint ${target.name}`
    return refuse(out, event, damaged(state, bodies, what, adviceFor(state, target.name)))
  }
  pinBodies(state, getId, bodies)
  answer(out, event, { kind: 'checkpoint', name: target.name, version: found })
}

/** Lets go what a get has read. */
export function closeGet(state: State, { getId }: EventOf<'getClosed'>, out: Out): void {
  unpin(state, `get ${getId}`, out)
}

function pinBodies(state: State, getId: number, bodies: readonly (Body | undefined)[]): void {
  pin(
    state,
    `get ${getId}`,
    chunksOf(...bodies).map(({ digest }) => digest),
  )
}

function blobNotFound(digest: Digest): Refusal {
  const message = `blob ${digest} is not here: put it again, or look whether it was pruned for want of room`
  return { code: 'NOT_FOUND', reason: 'BLOB_NOT_FOUND', message, metadata: { digest } }
}

function damaged(state: State, bodies: readonly (Body | undefined)[], what: string, advice: string): Refusal {
  const health = chunksOf(...bodies).map(({ digest }) => state.chunks.get(digest)!.health)
  const finding = health.includes('missing') ? 'is gone from the disk' : 'is not on disk as it was stored'
  return { code: 'DATA_LOSS', reason: 'BLOB_DAMAGED', message: `${what} ${finding}: ${advice}` }
}

function adviceFor(state: State, name: string): string {
  const versions: readonly CheckpointVersion[] = state.checkpoints.get(name)?.versions ?? []
  const sound = versions.findLast(({ body, structure }) => isSound(state, body, structure))
  return sound ? `version ${sound.version} is sound, load that one` : 'no version of it is sound; save it again'
}
