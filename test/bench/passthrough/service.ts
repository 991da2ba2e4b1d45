import type { MethodDefinition } from '@grpc/grpc-js'

/** Streams of bytes that nobody looks at, over grpc-js alone: the ceiling of what can be built on it. */
export const passthroughService = {
  /** Asks for so many bytes, as decimal text, and gets them. */
  pull: method('/costate.bench.v1.PassthroughService/Pull', { requestStream: false, responseStream: true }),
  /** Brings bytes, and is told how many, as decimal text. */
  push: method('/costate.bench.v1.PassthroughService/Push', { requestStream: true, responseStream: false }),
}

/** Of 64 KiB to 1 MiB the size that does best on loopback. */
export const messageBytes = 512 * 1024
/** The windows of the bulk plane. */
export const windowBytes = 8 * 2 ** 20

function method(
  path: string,
  streams: { requestStream: boolean; responseStream: boolean },
): MethodDefinition<Buffer, Buffer> {
  return {
    ...{ path, ...streams, requestSerialize: same, requestDeserialize: same },
    ...{ responseSerialize: same, responseDeserialize: same },
  }
}

function same(bytes: Buffer): Buffer {
  return bytes
}
