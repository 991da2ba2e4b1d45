import { Status } from 'nice-grpc-common'

import { DigestAlgorithm, type ObjectDescriptor, type Value } from '#libs/proto'

import { xxh64OfBytes } from './digest.js'
import type { Source } from './endpoint.js'
import { batchBytes, maxBatchObjects } from './limits.js'
import { TransferError } from './transfer-error.js'

/** An object to send in a batch. Its segments must not change until the transfer ends. */
export interface OutgoingObject {
  readonly descriptor: ObjectDescriptor
  readonly segments: readonly Uint8Array[]
}

/** An object that came in a batch: its bytes are in memory of its own, at an 8-byte boundary, and are what the digest says. */
export interface IncomingObject {
  readonly objectId: string
  readonly structure: Value | undefined
  readonly bytes: Uint8Array<ArrayBuffer>
  readonly xxh64: bigint
}

/** Many small objects as one body. They are joined when the transfer may send, not before: who waits holds no copy. */
export function sourceOfBatch(objects: readonly OutgoingObject[]): Source {
  let byteLength = 0
  for (const { descriptor } of objects) byteLength += Number(descriptor.byteLength)
  return {
    header: {
      objects: objects.map(({ descriptor }) => descriptor),
      byteLength,
      digestAlgorithm: DigestAlgorithm.XXH64,
    },
    read: function* (offset) {
      if (offset < byteLength) yield joined(objects, byteLength).subarray(offset)
    },
  }
}

function joined(objects: readonly OutgoingObject[], byteLength: number): Buffer {
  const body = Buffer.allocUnsafeSlow(byteLength)
  let position = 0
  for (const { segments } of objects) {
    for (const segment of segments) {
      body.set(segment, position)
      position += segment.byteLength
    }
  }
  return body
}

/**
 * Checks what a header says of a batch.
 *
 * @throws TransferError INVALID_ARGUMENT when it is too large for one, or is not as long as its objects are together.
 */
export function checkBatch(objects: readonly ObjectDescriptor[], byteLength: bigint): void {
  let sum = 0
  for (const object of objects) sum += Number(object.byteLength)
  if (sum === Number(byteLength) && sum <= batchBytes && objects.length <= maxBatchObjects) return
  const message =
    `a batch of ${objects.length} objects with ${sum} bytes in a body of ${byteLength}: the objects fill it, and are at ` +
    `most ${maxBatchObjects} with ${batchBytes} bytes`
  throw new TransferError(Status.INVALID_ARGUMENT, 'BAD_BATCH', message)
}

/**
 * Takes the body of a batch apart. What the body's own digest cannot know is checked here: that each object is what it was
 * when it was digested.
 *
 * @throws TransferError DATA_LOSS with the object's id.
 */
export function splitBatch(objects: readonly ObjectDescriptor[], body: Uint8Array<ArrayBuffer>): IncomingObject[] {
  let position = 0
  return objects.map(({ objectId, structure, byteLength, xxh64 }) => {
    const bytes = body.slice(position, (position += Number(byteLength)))
    if (xxh64OfBytes(bytes) === xxh64) return { objectId, structure, bytes, xxh64 }
    const message = `object ${objectId} is not what was sent: its digest is not ${xxh64.toString(16)}`
    throw new TransferError(Status.DATA_LOSS, 'DIGEST_MISMATCH', message)
  })
}
