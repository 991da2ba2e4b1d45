import type { Fact, FactOf } from './fact.js'
import { insertName, removeName } from './names.js'
import {
  type Blob,
  type CheckpointVersion,
  type Digest,
  isLive,
  partsOf,
  type RememberedAnswer,
  type State,
} from './state.js'

/** Remembers a fact. The only thing that a restart replays, and the only way in which `decide` changes durable state. */
export function apply(state: State, fact: Fact): void {
  switch (fact.kind) {
    case 'checkpointSaved':
      addVersion(state, fact)
      return
    case 'versionDropped':
      dropVersion(state, fact)
      return
    case 'checkpointDeleted':
      deleteCheckpoint(state, fact)
      return
    case 'blobKept':
      changeBlob(state, fact, (blob) => {
        blob.kept = true
        blob.lastUsedMs = fact.atMs
      })
      return
    case 'blobUsed':
      blobAt(state, fact.digest).lastUsedMs = fact.atMs
      return
    case 'blobDropped':
      changeBlob(state, blobAt(state, fact.digest), (blob) => (blob.kept = false))
      return
    case 'requestRemembered':
      remember(state, fact.requestId, fact.atMs, fact.answer)
      return
    default:
      fact satisfies never
  }
}

function addVersion(state: State, { requestId, name, version }: FactOf<'checkpointSaved'>): void {
  const known = state.checkpoints.get(name)
  if (known) {
    known.versions.push(version)
  } else {
    state.checkpoints.set(name, { name, versions: [version] })
    insertName(state.names, name)
  }
  for (const part of partsOf(version)) changeBlob(state, part, (blob) => blob.references++)
  if (requestId === '') return
  remember(state, requestId, version.savedAtMs, { kind: 'saved', name, version: version.version })
}

function dropVersion(state: State, fact: FactOf<'versionDropped'>): void {
  const { versions } = checkpointAt(state, fact.name)
  const at = versions.findIndex(({ version }) => version === fact.version)
  for (const version of versions.splice(at, 1)) unreference(state, version)
}

function deleteCheckpoint(state: State, { requestId, atMs, name }: FactOf<'checkpointDeleted'>): void {
  const { versions } = checkpointAt(state, name)
  for (const version of versions) unreference(state, version)
  state.checkpoints.delete(name)
  removeName(state.names, name)
  remember(state, requestId, atMs, { kind: 'deleted', name, versions: versions.length })
}

function unreference(state: State, version: CheckpointVersion): void {
  for (const part of partsOf(version)) changeBlob(state, part, (blob) => blob.references--)
}

/** Changes what needs a blob, and the bytes that are needed with it. */
function changeBlob(
  state: State,
  { digest, byteLength }: { digest: Digest; byteLength: number },
  change: (blob: Blob) => void,
): void {
  let blob = state.blobs.get(digest)
  if (blob === undefined) {
    blob = { digest, byteLength, kept: false, references: 0, lastUsedMs: 0, readers: 0, health: 'sound' }
    state.blobs.set(digest, blob)
  }
  const wasLive = isLive(blob)
  change(blob)
  if (isLive(blob) && !wasLive) state.liveBytes += blob.byteLength
  if (!isLive(blob) && wasLive) state.liveBytes -= blob.byteLength
}

function remember(state: State, requestId: string, atMs: number, answer: RememberedAnswer): void {
  const { requests, policy } = state
  requests.set(requestId, { atMs, answer })
  for (const [oldest, request] of requests) {
    if (requests.size <= policy.rememberRequests && request.atMs >= atMs - policy.rememberMs) return
    requests.delete(oldest)
  }
}

function checkpointAt(state: State, name: string): { readonly versions: CheckpointVersion[] } {
  const checkpoint = state.checkpoints.get(name)
  if (checkpoint === undefined) throw new Error(`a fact names checkpoint ${name}, which is unknown`)
  return checkpoint
}

function blobAt(state: State, digest: Digest): Blob {
  const blob = state.blobs.get(digest)
  if (blob === undefined) throw new Error(`a fact names blob ${digest}, which is unknown`)
  return blob
}
