import type { ServiceImplementation } from 'nice-grpc'

import { type MethodName, type Role, rpcError } from '#libs/rpc'
import { type checkpointServiceDefinition, type FrameMessage, serveTransfers, type TransferHost } from '#libs/transfer'

import { createDeleteCheckpoint } from './delete-checkpoint.js'
import { createFindBlobs } from './find-blobs.js'
import { createGetCheckpoint } from './get-checkpoint.js'
import { createListCheckpoints } from './list-checkpoints.js'
import { createLoadHost } from './load.js'
import { createSaveHost } from './save.js'
import type { TransferPorts } from './transfer-ports.js'

const movers: readonly Role[] = ['client', 'worker', 'admin']
const readers: readonly Role[] = [...movers, 'observer']

/** Who may call what; a method that is missing here is denied to everybody. */
export const checkpointRoles: Record<MethodName<typeof checkpointServiceDefinition>, readonly Role[]> = {
  save: movers,
  load: movers,
  findBlobs: readers,
  getCheckpoint: readers,
  listCheckpoints: readers,
  deleteCheckpoint: ['client', 'admin'],
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
    getCheckpoint: createGetCheckpoint(ports.loop),
    listCheckpoints: createListCheckpoints(ports.loop),
    deleteCheckpoint: createDeleteCheckpoint(ports.loop),
  }
}
