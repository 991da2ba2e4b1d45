import { randomUUID } from 'node:crypto'

import { type ArchivedObject, CheckpointServiceDefinition } from '#libs/proto'
import { closeRpcChannel, createRpcChannel, createRpcClient, type Security } from '#libs/rpc'
import type { Source, TransferPool } from '#libs/transfer'

/** The checkpoint-store as it keeps what workers hold. */
export interface ArchiveStore {
  /** Keeps the bytes for the object, and sends nothing when it has them. */
  put(digest: string, source: Source, objectId: string): Promise<void>
  /** It need not keep these any more. Where it is not there to hear that, its own clock ends it. */
  release(objects: readonly ArchivedObject[]): void
  close(): void
}

export function createArchiveStore(
  security: Security,
  pool: Pick<TransferPool, 'store'>,
  storeAddresses: () => Promise<readonly string[]>,
  warn: (error: unknown, message: string) => void,
): ArchiveStore {
  let channel: ReturnType<typeof createRpcChannel> | undefined
  const notReleased = (error: unknown): void =>
    warn(error, 'the checkpoint-store could not be told what nobody needs: it keeps that until its own time is over')
  return {
    put: async (digest, source, objectId) => {
      const stream = pool.store(await storeAddresses(), 'save')
      const target = { $case: 'blobDigest', value: digest } as const
      await stream.put(target, source, { requestId: randomUUID(), claimant: objectId })
    },
    release: (objects) => {
      channel ??= createRpcChannel(storeAddresses, { security, serverRole: 'checkpointStore', kind: 'control' })
      const claims = objects.map(({ objectId, blobDigest }) => ({ digest: blobDigest, claimant: objectId }))
      createRpcClient(CheckpointServiceDefinition, channel).releaseBlobs({ claims }).catch(notReleased)
    },
    close: () => {
      if (channel) closeRpcChannel(channel)
    },
  }
}
