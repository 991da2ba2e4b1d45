import { randomUUID } from 'node:crypto'

import { type Bytes, segmentsOf } from '#libs/memory'
import { CheckpointServiceDefinition, DigestAlgorithm } from '#libs/proto'
import { closeRpcChannel, createRpcChannel, createRpcClient, type Security } from '#libs/rpc'
import { sourceOfSegments, type TransferPool } from '#libs/transfer'

/** Brings bundles and large arguments into the checkpoint-store, each content once. */
export interface BlobUploader {
  /** `trace` is the job that the blobs are for. */
  upload(
    blobs: Iterable<{ readonly digest: string; readonly bytes: Bytes | readonly Uint8Array[] }>,
    trace: Readonly<Record<string, string>>,
  ): Promise<void>
  close(): void
}

export function createBlobUploader(
  security: Security,
  pool: TransferPool,
  storeAddresses: () => Promise<readonly string[]>,
): BlobUploader {
  const uploads = new Map<string, Promise<void>>()
  let channel: ReturnType<typeof createRpcChannel> | undefined

  async function upload(
    digest: string,
    segments: readonly Uint8Array[],
    trace: Readonly<Record<string, string>>,
  ): Promise<void> {
    const addresses = await storeAddresses()
    channel ??= createRpcChannel(storeAddresses, { security, serverRole: 'checkpointStore', kind: 'control' })
    const found = await createRpcClient(CheckpointServiceDefinition, channel).findBlobs({ digests: [digest] })
    if (found.digests.includes(digest)) return
    const byteLength = segments.reduce((sum, segment) => sum + segment.byteLength, 0)
    const header = { byteLength, digestAlgorithm: DigestAlgorithm.SHA256 }
    const stream = pool.store(addresses, 'save')
    const target = { $case: 'blobDigest', value: digest } as const
    await stream.put(target, sourceOfSegments(header, segments), { requestId: randomUUID(), trace })
  }

  return {
    upload: async (blobs, trace) => {
      await Promise.all(
        [...blobs].map(({ digest, bytes }) => {
          let uploading = uploads.get(digest)
          if (uploading === undefined) {
            uploading = upload(digest, 'buffer' in bytes ? segmentsOf(bytes) : bytes, trace)
            uploads.set(digest, uploading)
            // What failed may be tried again.
            uploading.catch(() => uploads.delete(digest))
          }
          return uploading
        }),
      )
    },
    close: () => {
      if (channel) closeRpcChannel(channel)
    },
  }
}
