import { collectGarbage } from './collection.js'
import type { Out, Refusal } from './effect.js'
import { emit } from './emit.js'
import { bytesOnlyOf } from './retention.js'
import { type Blob, chunksOf, type State } from './state.js'

/**
 * Makes room for so many bytes: drops blobs that nobody reads or has used for a while, longest unused first. Drops none
 * and says why when that is not enough.
 */
export function makeRoom(state: State, byteLength: number, atMs: number, out: Out): Refusal | undefined {
  const { maxDiskBytes, pruneAfterMs } = state.policy
  let excess = state.liveBytes + state.reservedBytes + byteLength - maxDiskBytes
  if (excess <= 0) return undefined
  const unused = [...state.blobs.values()].filter(({ body, lastUsedMs }) => {
    return (
      !state.claims.has(body.digest) &&
      lastUsedMs <= atMs - pruneAfterMs &&
      chunksOf(body).every(({ digest }) => state.chunks.get(digest)?.pins === 0)
    )
  })
  unused.sort((a, b) => a.lastUsedMs - b.lastUsedMs || (a.body.digest < b.body.digest ? -1 : 1))
  const dropped: Blob[] = []
  for (const blob of unused) {
    if (excess <= 0) break
    const bytes = freedBy(state, blob)
    if (bytes === 0) continue
    dropped.push(blob)
    excess -= bytes
  }
  if (excess > 0) return diskLimitReached(state, byteLength)
  for (const { body } of dropped) {
    emit(state, out, { kind: 'blobDropped', digest: body.digest })
    collectGarbage(state, out, chunksOf(body))
  }
  return undefined
}

function freedBy(state: State, { body }: Blob): number {
  let bytes = 0
  for (const { digest, byteLength } of new Set(chunksOf(body))) {
    if (state.chunks.get(digest)?.references === 1) bytes += byteLength
  }
  return bytes
}

/** How many of the largest checkpoints are named to whoever finds no room. */
const namedCheckpoints = 3

function diskLimitReached(state: State, byteLength: number): Refusal {
  const usedBytes = state.liveBytes + state.reservedBytes
  return {
    code: 'RESOURCE_EXHAUSTED',
    reason: 'DISK_LIMIT_REACHED',
    message:
      `the store holds ${usedBytes} of ${state.policy.maxDiskBytes} bytes, and ${byteLength} more do not fit: ` +
      `${adviceFor(state)}costate checkpoints prune keeps fewer versions, or raise --max-disk-bytes`,
    metadata: { usedBytes: String(usedBytes), maxDiskBytes: String(state.policy.maxDiskBytes) },
    quotas: [{ subject: 'disk', description: `${usedBytes} of ${state.policy.maxDiskBytes} bytes are used` }],
    // Room comes when somebody deletes, or blobs have been out of use for long enough.
    retryDelayMs: 60_000,
  }
}

function adviceFor(state: State): string {
  const largest = [...state.checkpoints.values()]
    .map(({ name, versions }) => ({ name, bytes: bytesOnlyOf(state, versions), count: versions.length }))
    .sort((a, b) => b.bytes - a.bytes)
    .slice(0, namedCheckpoints)
    .filter(({ bytes }) => bytes > 0)
  if (largest.length === 0) return ''
  const listed = largest.map(({ name, bytes, count }) => `${name} (${bytes} bytes, versions: ${count})`).join(', ')
  return `delete what is no longer needed, the most is in ${listed}; `
}
