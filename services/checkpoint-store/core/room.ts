import { collectGarbage } from './collection.js'
import type { Out, Refusal } from './effect.js'
import { emit } from './emit.js'
import type { Blob, State } from './state.js'

/**
 * Makes room for so many bytes: drops kept blobs that nobody reads or has used for a while, longest unused first. Drops none
 * and says why when that is not enough.
 */
export function makeRoom(state: State, byteLength: number, atMs: number, out: Out): Refusal | undefined {
  const { maxDiskBytes, pruneAfterMs } = state.policy
  let excess = state.liveBytes + state.reservedBytes + byteLength - maxDiskBytes
  if (excess <= 0) return undefined
  const unused: Blob[] = []
  for (const blob of state.blobs.values()) {
    const idle = blob.readers === 0 && blob.lastUsedMs <= atMs - pruneAfterMs
    if (blob.kept && blob.references === 0 && idle) unused.push(blob)
  }
  unused.sort((a, b) => a.lastUsedMs - b.lastUsedMs || (a.digest < b.digest ? -1 : 1))
  const dropped: Blob[] = []
  for (const blob of unused) {
    if (excess <= 0) break
    dropped.push(blob)
    excess -= blob.byteLength
  }
  if (excess > 0) return diskLimitReached(state, byteLength)
  for (const { digest } of dropped) {
    emit(state, out, { kind: 'blobDropped', digest })
    collectGarbage(state, out, digest)
  }
  return undefined
}

function diskLimitReached(state: State, byteLength: number): Refusal {
  const usedBytes = state.liveBytes + state.reservedBytes
  return {
    code: 'RESOURCE_EXHAUSTED',
    reason: 'DISK_LIMIT_REACHED',
    message:
      `the store holds ${usedBytes} of ${state.policy.maxDiskBytes} bytes, and ${byteLength} more do not fit: delete ` +
      'checkpoints that are no longer needed, keep fewer versions, or raise --max-disk-bytes',
    metadata: { usedBytes: String(usedBytes), maxDiskBytes: String(state.policy.maxDiskBytes) },
    quotas: [{ subject: 'disk', description: `${usedBytes} of ${state.policy.maxDiskBytes} bytes are used` }],
    // Room comes when somebody deletes, or blobs have been out of use for long enough.
    retryDelayMs: 60_000,
  }
}
