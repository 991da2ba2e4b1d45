import { randomUUID } from 'node:crypto'

import { DigestAlgorithm, type Value } from '#libs/proto'
import type { CheckpointInfo } from '#libs/task'
import { sourceOfSegments, type TransferPeer } from '#libs/transfer'

/** What is saved, and on which conditions. */
export interface CheckpointSave {
  readonly name: string
  /** The value whose tensors lie in the segments. */
  readonly structure: Value
  readonly segments: readonly Uint8Array[]
  readonly info?: CheckpointInfo
  /** Of the writer's lease. */
  readonly writerToken?: number
  /** The newest version must have this etag, `0` for none. */
  readonly etag?: string
  /** A duplicate gets the first answer. */
  readonly requestId?: string
  /** Trace context of who saves. */
  readonly trace?: Readonly<Record<string, string>>
}

/** Saves a version of a checkpoint on a save stream of the store; resolves with its number when it is durable. */
export async function saveCheckpoint(store: Pick<TransferPeer, 'put'>, save: CheckpointSave): Promise<number> {
  const { name, structure, segments, info = {}, writerToken = 0, etag = '', requestId = randomUUID(), trace } = save
  const { iteration, cost, labels = {} } = info
  const byteLength = segments.reduce((sum, segment) => sum + segment.byteLength, 0)
  // Not SHA-256: the store names the chunks by that anyway, and this end has better things to do.
  const source = sourceOfSegments({ structure, byteLength, digestAlgorithm: DigestAlgorithm.XXH64 }, segments)
  const value = {
    name,
    version: 0n,
    info: {
      iteration: iteration === undefined ? undefined : BigInt(iteration),
      cost,
      labels: new Map(Object.entries(labels)),
    },
    writerToken: BigInt(writerToken),
    etag,
  }
  const receipt = await store.put({ $case: 'checkpoint', value }, source, { requestId, trace })
  return Number(receipt.version)
}
