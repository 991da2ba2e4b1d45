import { Status } from 'nice-grpc-common'

import { DigestAlgorithm, Durability, type ObjectDescriptor, type Value } from '#libs/proto'
import { discardBuffer, takeFrame } from '#libs/rpc'

import { xxh64OfBytes } from './digest.js'
import type { Sink, Source } from './endpoint.js'
import { batchBytes, maxBatchObjects } from './limits.js'
import { TransferError } from './transfer-error.js'

/** An object that came in a batch: its bytes are in memory of its own, at an 8-byte boundary, and are what the digest says. */
export interface IncomingObject {
  readonly objectId: string
  readonly structure: Value | undefined
  readonly bytes: Uint8Array<ArrayBuffer>
  readonly xxh64: bigint
}

/** A shorter body is not worth it. */
const leastPooledBytes = 64 * 1024

/**
 * Bodies of batches are made in memory that frames and earlier ones left: what is fresh each time keeps the garbage collector marking. Each
 * is kept until its receipt comes, which for twenty at a time is one flush of the scheduler's journal.
 */
function takeBody(byteLength: number): Buffer {
  return byteLength < leastPooledBytes ? Buffer.allocUnsafeSlow(byteLength) : takeFrame(batchBytes)
}

function giveBack(body: Buffer | undefined): void {
  if (body) discardBuffer(body)
}

/**
 * Many small objects as one body. `pieces` gives their bytes in order, which must not change until the transfer ends. They are joined
 * when it may send, not before: who waits holds no copy.
 */
export function sourceOfBatch(objects: readonly ObjectDescriptor[], pieces: () => readonly Uint8Array[]): Source {
  let byteLength = 0
  for (const object of objects) byteLength += Number(object.byteLength)
  let body: Buffer | undefined
  return {
    header: { objects, byteLength, digestAlgorithm: DigestAlgorithm.XXH64 },
    read: function* (offset) {
      if (offset >= byteLength) return
      body ??= joined(pieces(), takeBody(byteLength))
      yield body.subarray(offset, byteLength)
    },
    // What is still to be sent of a transfer that was given up is of no use: its checksum says so.
    close: () => {
      giveBack(body)
      body = undefined
    },
  }
}

function joined(pieces: readonly Uint8Array[], body: Buffer): Buffer {
  let position = 0
  for (const piece of pieces) {
    body.set(piece, position)
    position += piece.byteLength
  }
  return body
}

/** What a header says of a batch. */
interface BatchHeader {
  readonly objects: readonly ObjectDescriptor[]
  readonly byteLength: bigint
}

/** A sink that takes a batch apart; `keep` gets its objects once the whole is checked. */
export function createBatchSink(
  { objects, byteLength }: BatchHeader,
  keep: (objects: IncomingObject[]) => void | Promise<void>,
): Sink {
  return sinkOf(Number(byteLength), (body) => splitBatch(objects, body), keep)
}

/** The same for who leaves the objects where they came: `keep` gets where each lies in the body, and what gives its memory to others. */
export function createLyingBatchSink(
  { objects, byteLength }: BatchHeader,
  keep: (pieces: Uint8Array[], body: Uint8Array, giveUp: () => void) => void | Promise<void>,
): Sink {
  const split = (body: Uint8Array): [Uint8Array[], Uint8Array] => [piecesIn(objects, body), body]
  return sinkOf(Number(byteLength), split, ([pieces, body], giveUp) => keep(pieces, body, giveUp), {
    adoptsMemory: true,
  })
}

function sinkOf<Arrived>(
  length: number,
  split: (body: Uint8Array) => Arrived,
  keep: (arrived: Arrived, giveUp: () => void) => void | Promise<void>,
  { adoptsMemory = false } = {},
): Sink {
  let arrived: Arrived | undefined
  let body: Buffer | undefined
  let giveUp = (): void => undefined
  let position = 0
  const leaveBody = (): void => {
    giveBack(body)
    body = undefined
  }
  return {
    adoptsMemory,
    write: (data) => {
      // A batch mostly is one chunk.
      if (position === 0 && data.byteLength === length) {
        arrived = split(data)
        giveUp = () => discardBuffer(data)
      } else {
        ;(body ??= takeBody(length)).set(data, position)
        if (adoptsMemory) discardBuffer(data)
      }
      position += data.byteLength
    },
    commit: async () => {
      if (arrived === undefined) {
        arrived = split(body?.subarray(0, length) ?? new Uint8Array(0))
        const taken = body
        if (adoptsMemory) giveUp = () => giveBack(taken)
        else leaveBody()
        body = undefined
      }
      await keep(arrived, giveUp)
      return { durability: Durability.MEMORY, version: 0n }
    },
    abort: leaveBody,
  }
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
 * Takes the body of a batch apart, each object into memory of its own. What the body's own digest cannot know is checked here: that each
 * object is what it was when it was digested.
 *
 * @throws TransferError DATA_LOSS with the object's id.
 */
export function splitBatch(objects: readonly ObjectDescriptor[], body: Uint8Array): IncomingObject[] {
  // Of a Buffer a slice would be a view.
  const plain = new Uint8Array(body.buffer, body.byteOffset, body.byteLength)
  let position = 0
  return objects.map(({ objectId, structure, byteLength, xxh64 }) => {
    const bytes = plain.slice(position, (position += Number(byteLength)))
    checkPiece(objectId, bytes, xxh64)
    return { objectId, structure, bytes, xxh64 }
  })
}

/** The same where the objects stay in the body. */
function piecesIn(objects: readonly ObjectDescriptor[], { buffer, byteOffset }: Uint8Array): Uint8Array[] {
  let at = byteOffset
  return objects.map(({ objectId, byteLength, xxh64 }) => {
    const length = Number(byteLength)
    const piece = new Uint8Array(buffer, at, length)
    at += length
    checkPiece(objectId, piece, xxh64)
    return piece
  })
}

function checkPiece(objectId: string, bytes: Uint8Array, xxh64: bigint): void {
  if (xxh64OfBytes(bytes) === xxh64) return
  const message = `object ${objectId} is not what was sent: its digest is not ${xxh64.toString(16)}`
  throw new TransferError(Status.DATA_LOSS, 'DIGEST_MISMATCH', message)
}
