import { decodeFrameMessage, encodeFrameMessage } from './frame-codec.js'

const frames = {
  requestStream: true,
  requestSerialize: encodeFrameMessage,
  requestDeserialize: decodeFrameMessage,
  responseStream: true,
  responseSerialize: encodeFrameMessage,
  responseDeserialize: decodeFrameMessage,
  options: {},
} as const

/** A bulk method: the same frames in both directions, through the codec that does not copy chunks twice. */
function bulkMethod<Path extends string>(path: Path) {
  return { path, ...frames } as const
}

/** `costate.worker.v1.TransferService`, as `proto/` declares it. */
export const transferDefinition = {
  transfer: bulkMethod('/costate.worker.v1.TransferService/Transfer'),
} as const

/** The bulk methods of `costate.checkpoint.v1.CheckpointService`. */
export const checkpointBulkMethods = {
  save: bulkMethod('/costate.checkpoint.v1.CheckpointService/Save'),
  load: bulkMethod('/costate.checkpoint.v1.CheckpointService/Load'),
} as const
