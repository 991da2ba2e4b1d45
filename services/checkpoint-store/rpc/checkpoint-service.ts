import type { ServiceImplementation } from 'nice-grpc'

import { type MethodName, type Role, rpcError } from '#libs/rpc'
import { type checkpointServiceDefinition, type FrameMessage, serveTransfers, type TransferHost } from '#libs/transfer'

import { createAcquireLease } from './acquire-lease.js'
import { createDeleteCheckpoint } from './delete-checkpoint.js'
import { createFindBlobs } from './find-blobs.js'
import { createGetCheckpoint } from './get-checkpoint.js'
import { createListCheckpoints } from './list-checkpoints.js'
import { createLoadHost } from './load.js'
import { createPruneCheckpoints } from './prune-checkpoints.js'
import { createSaveHost } from './save.js'
import { createReleaseBlobs } from './release-blobs.js'
import type { TransferPorts } from './transfer-ports.js'
import { createVerifyCheckpoints } from './verify-checkpoints.js'
import { createWatchCheckpoints } from './watch-checkpoints.js'

const movers: readonly Role[] = ['client', 'worker', 'admin']
const readers: readonly Role[] = [...movers, 'observer']

/** Who may call what; a method that is missing here is denied to everybody. */
export const checkpointRoles: Record<MethodName<typeof checkpointServiceDefinition>, readonly Role[]> = {
  save: movers,
  load: movers,
  findBlobs: readers,
  releaseBlobs: movers,
  getCheckpoint: readers,
  listCheckpoints: readers,
  deleteCheckpoint: ['client', 'admin'],
  acquireLease: movers,
  watchCheckpoints: readers,
  pruneCheckpoints: ['client', 'admin'],
  verifyCheckpoints: ['client', 'admin'],
}

/** The service's methods, joined. */
export function createCheckpointService(
  ports: TransferPorts,
): ServiceImplementation<typeof checkpointServiceDefinition> {
  const serve = (host: TransferHost) => (requests: AsyncIterable<FrameMessage>) =>
    serveTransfers(requests, host, 'the checkpoint-store', (reason, message) =>
      rpcError('FAILED_PRECONDITION', reason, message),
    )
  return {
    save: serve(createSaveHost(ports)),
    load: serve(createLoadHost(ports)),
    findBlobs: createFindBlobs(ports.loop),
    releaseBlobs: createReleaseBlobs(ports.loop),
    getCheckpoint: createGetCheckpoint(ports.loop),
    listCheckpoints: createListCheckpoints(ports.loop),
    deleteCheckpoint: createDeleteCheckpoint(ports.loop),
    acquireLease: createAcquireLease(ports.loop),
    watchCheckpoints: createWatchCheckpoints(ports.loop),
    pruneCheckpoints: createPruneCheckpoints(ports.loop),
    verifyCheckpoints: createVerifyCheckpoints(ports),
  }
}
