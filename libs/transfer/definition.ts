import { CheckpointServiceDefinition, type DeepPartial, type MessageFns } from '#libs/proto'

import { decodeFrameMessage, encodeFrameMessage, type FrameMessage } from './frame-codec.js'

/** A chunk is a `LargeMessage`, which libs/rpc sends as it is; nice-grpc knows of no such thing. */
const serialize = encodeFrameMessage as (message: FrameMessage) => Uint8Array

const frames = {
  requestStream: true,
  requestSerialize: serialize,
  requestDeserialize: decodeFrameMessage,
  responseStream: true,
  responseSerialize: serialize,
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

interface GeneratedMethod<Request, Response> {
  readonly name: string
  readonly requestType: MessageFns<Request>
  readonly responseType: MessageFns<Response>
  readonly options: { readonly idempotencyLevel?: 'IDEMPOTENT' | 'NO_SIDE_EFFECTS' }
}

/** A generated method of the checkpoint service, in the shape of the bulk methods, so that they fit in one service. */
function generatedMethod<Request, Response, Streams extends boolean>(
  method: GeneratedMethod<Request, Response> & { readonly responseStream: Streams },
) {
  const { name, requestType, responseType, responseStream, options } = method
  return {
    path: `/${CheckpointServiceDefinition.fullName}/${name}`,
    requestStream: false,
    requestSerialize: (value: DeepPartial<Request>) => requestType.encode(requestType.fromPartial(value)).finish(),
    requestDeserialize: (bytes: Uint8Array) => requestType.decode(bytes),
    responseStream,
    responseSerialize: (value: DeepPartial<Response>) => responseType.encode(responseType.fromPartial(value)).finish(),
    responseDeserialize: (bytes: Uint8Array) => responseType.decode(bytes),
    options,
  } as const
}

const generated = CheckpointServiceDefinition.methods

/** The whole of `costate.checkpoint.v1.CheckpointService`, for whoever serves or calls it. */
export const checkpointServiceDefinition = {
  ...checkpointBulkMethods,
  findBlobs: generatedMethod(generated.findBlobs),
  releaseBlobs: generatedMethod(generated.releaseBlobs),
  getCheckpoint: generatedMethod(generated.getCheckpoint),
  listCheckpoints: generatedMethod(generated.listCheckpoints),
  deleteCheckpoint: generatedMethod(generated.deleteCheckpoint),
  acquireLease: generatedMethod(generated.acquireLease),
  watchCheckpoints: generatedMethod(generated.watchCheckpoints),
  pruneCheckpoints: generatedMethod(generated.pruneCheckpoints),
  verifyCheckpoints: generatedMethod(generated.verifyCheckpoints),
} as const
