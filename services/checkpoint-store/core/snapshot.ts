import type { Fact } from './fact.js'
import type { State } from './state.js'

/** The fewest facts that amount to the durable part of the state. */
export function* summarize(state: State): Generator<Fact> {
  for (const { name, versions } of state.checkpoints.values()) {
    for (const version of versions) yield { kind: 'checkpointSaved', requestId: '', name, version }
  }
  for (const { kept, digest, byteLength, lastUsedMs } of state.blobs.values()) {
    if (kept) yield { kind: 'blobKept', atMs: lastUsedMs, digest, byteLength }
  }
  for (const [requestId, { atMs, answer }] of state.requests) {
    yield { kind: 'requestRemembered', atMs, requestId, answer }
  }
}
