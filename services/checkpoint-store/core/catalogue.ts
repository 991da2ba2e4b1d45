import { touch } from './collection.js'
import { answer, type Out, refuse, type Refusal } from './effect.js'
import type { EventOf, NamedVersion } from './event.js'
import { pageOfNames } from './names.js'
import { isSound } from './puts.js'
import { hasLabels } from './retention.js'
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

/** A page of names: of each its newest version that has the labels, or all that have. */
export function listCheckpoints(state: State, event: EventOf<'checkpointsListed'>, out: Out): void {
  const { labels, allVersions, limit } = event
  const checkpoints: NamedVersion[] = []
  let after = event.after
  let more = true
  // A page ends with a name, so that the next one begins with another; it may be a little longer for that.
  while (more && checkpoints.length < limit) {
    const { page, more: isMore } = pageOfNames(state.names, { ...event, after, limit: limit - checkpoints.length })
    for (const name of page) {
      const versions = state.checkpoints.get(name)!.versions.filter((version) => hasLabels(version, labels))
      for (const version of allVersions ? versions : versions.slice(-1)) checkpoints.push({ name, version })
      after = name
      if (checkpoints.length >= limit) break
    }
    more = isMore || after !== (page.at(-1) ?? after)
  }
  answer(out, event, { checkpoints, more })
}

/**
 * Says which blobs are kept, and counts that as a use: who asks is about to rely on them. Bytes that are here only as a part
 * of a checkpoint, or are kept for somebody else, are not among them, since they go with these.
 */
export function seekBlobs(state: State, event: EventOf<'blobsSought'>, out: Out): void {
  const found = event.digests.filter((digest) => {
    const blob = state.blobs.get(digest)
    if (blob === undefined || blob.isClaimed || !isSound(state, blob.body)) return false
    touch(state, out, blob, event.atMs)
    return true
  })
  answer(out, event, found)
}
