import { touch } from './collection.js'
import { answer, type Out, refuse, type Refusal } from './effect.js'
import type { EventOf } from './event.js'
import { pageOfNames } from './names.js'
import type { CheckpointVersion, State } from './state.js'

/** A version of a checkpoint, 0 for the newest, or why there is none. */
export function findVersion(state: State, name: string, version: number): CheckpointVersion | Refusal {
  const versions = state.checkpoints.get(name)?.versions
  if (versions === undefined) return checkpointNotFound(name)
  const found = version === 0 ? versions.at(-1) : versions.find((candidate) => candidate.version === version)
  if (found) return found
  const message =
    `checkpoint ${name} has no version ${version}: it has ${versions[0]?.version ?? 0} to ${versions.at(-1)?.version ?? 0}, ` +
    `and keeps the last ${state.policy.keepVersions}`
  const resource = { type: 'costate.checkpoint', name: `${name}@${version}` }
  return { code: 'NOT_FOUND', reason: 'VERSION_NOT_FOUND', message, metadata: { name }, resource }
}

/** There is no checkpoint of this name. */
export function checkpointNotFound(name: string): Refusal {
  const message = `there is no checkpoint ${name}: it was never saved, or it was deleted`
  const resource = { type: 'costate.checkpoint', name }
  return { code: 'NOT_FOUND', reason: 'CHECKPOINT_NOT_FOUND', message, metadata: { name }, resource }
}

export function seekCheckpoint(state: State, event: EventOf<'checkpointSought'>, out: Out): void {
  const found = findVersion(state, event.name, event.version)
  if ('code' in found) return refuse(out, event, found)
  answer(out, event, { name: event.name, version: found })
}

export function listCheckpoints(state: State, event: EventOf<'checkpointsListed'>, out: Out): void {
  const { page, more } = pageOfNames(state.names, event)
  const checkpoints = page.map((name) => ({ name, version: state.checkpoints.get(name)!.versions.at(-1)! }))
  answer(out, event, { checkpoints, more })
}

/**
 * Says which blobs are kept, and counts that as a use: who asks is about to rely on them. One that is here only as a part
 * of a checkpoint is not among them, since it goes with the checkpoint; putting it costs no transfer.
 */
export function seekBlobs(state: State, event: EventOf<'blobsSought'>, out: Out): void {
  const found = event.digests.filter((digest) => {
    const blob = state.blobs.get(digest)
    if (blob?.kept !== true || blob.health !== 'sound') return false
    touch(state, out, blob, event.atMs)
    return true
  })
  answer(out, event, found)
}
