import type { Fact, FactOf } from './fact.js'
import { insertName, removeName } from './names.js'
import { type Chunk, type ChunkRef, chunksOf, chunksOfVersion, type Digest, type State } from './state.js'

/** Remembers a fact. The only thing that a restart replays, and the only way in which `decide` changes durable state. */
export function apply(state: State, fact: Fact): void {
  switch (fact.kind) {
    case 'versionSaved':
      return addVersion(state, fact)
    case 'versionDropped':
      return dropVersion(state, fact)
    case 'leaseTaken':
      state.leases.set(fact.name, fact.lease)
      return
    case 'leaseEnded':
      state.leases.delete(fact.name)
      return
    case 'tokensReserved':
      state.reservedTokens = fact.upTo
      // A restart does not know which of them were given out.
      state.lastToken = fact.upTo
      return
    case 'blobKept':
      return keepBlob(state, fact)
    case 'blobDropped':
      return dropBlob(state, fact.digest)
    case 'blobClaimed': {
      const claims = state.claims.get(fact.digest)
      if (claims) claims.add(fact.claimant)
      else state.claims.set(fact.digest, new Set([fact.claimant]))
      return
    }
    case 'blobReleased': {
      const claims = state.claims.get(fact.digest)
      if (claims?.delete(fact.claimant) && claims.size === 0) state.claims.delete(fact.digest)
      return
    }
    case 'requestRemembered':
      return remember(state, fact)
    case 'requestsForgotten':
      return forget(state, fact.shelf)
    default:
      fact satisfies never
  }
}

function addVersion(state: State, { name, version }: FactOf<'versionSaved'>): void {
  const known = state.checkpoints.get(name)
  if (known) {
    known.versions.push(version)
  } else {
    state.checkpoints.set(name, { name, versions: [version] })
    insertName(state.names, name)
  }
  for (const chunk of chunksOfVersion(version)) refer(state, chunk)
}

function dropVersion(state: State, fact: FactOf<'versionDropped'>): void {
  const versions = state.checkpoints.get(fact.name)?.versions ?? []
  const at = versions.findIndex(({ version }) => version === fact.version)
  if (at < 0) throw new Error(`a fact drops version ${fact.version} of checkpoint ${fact.name}, which is unknown`)
  for (const version of versions.splice(at, 1)) {
    for (const chunk of chunksOfVersion(version)) unrefer(state, chunk)
  }
  if (versions.length > 0) return
  state.checkpoints.delete(fact.name)
  removeName(state.names, fact.name)
}

function keepBlob(state: State, { body, atMs, isClaimed }: FactOf<'blobKept'>): void {
  if (!state.blobs.has(body.digest)) for (const chunk of chunksOf(body)) refer(state, chunk)
  state.blobs.set(body.digest, { body, lastUsedMs: atMs, isClaimed: isClaimed ?? false })
}

function dropBlob(state: State, digest: Digest): void {
  const blob = state.blobs.get(digest)
  if (blob === undefined) throw new Error(`a fact drops blob ${digest}, which is unknown`)
  state.blobs.delete(digest)
  for (const chunk of chunksOf(blob.body)) unrefer(state, chunk)
}

function refer(state: State, { digest, byteLength }: ChunkRef): void {
  let chunk = state.chunks.get(digest)
  if (chunk === undefined) {
    chunk = { digest, byteLength, references: 0, pins: 0, health: 'sound' }
    state.chunks.set(digest, chunk)
  }
  if (chunk.references++ === 0) state.liveBytes += byteLength
}

function unrefer(state: State, { digest }: ChunkRef): void {
  const chunk: Chunk | undefined = state.chunks.get(digest)
  if (chunk === undefined) throw new Error(`chunk ${digest} is needed and unknown`)
  if (--chunk.references === 0) state.liveBytes -= chunk.byteLength
}

function remember(state: State, { shelf, atMs, requestId, answer }: FactOf<'requestRemembered'>): void {
  state.requests.set(requestId, answer)
  const last = state.shelves.at(-1)
  if (last?.number === shelf) last.requestIds.push(requestId)
  else state.shelves.push({ number: shelf, sinceMs: atMs, requestIds: [requestId] })
}

function forget(state: State, number: number): void {
  const at = state.shelves.findIndex((shelf) => shelf.number === number)
  for (const shelf of at < 0 ? [] : state.shelves.splice(at, 1)) {
    for (const requestId of shelf.requestIds) state.requests.delete(requestId)
  }
}
