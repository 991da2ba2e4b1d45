import { BinaryReader } from '@bufbuild/protobuf/wire'

import { type TransferChunk, TransferFrame } from '#libs/proto'
import type { LargeMessage } from '#libs/rpc'

/** A message of any bulk RPC: one frame in field 1. */
export interface FrameMessage {
  readonly frame?: TransferFrame | undefined
}

// Tags of the fields below: (number << 3) | wire type.
const frameTag = (1 << 3) | 2
const transferIdTag = (1 << 3) | 0
const chunkTag = (5 << 3) | 2
const chunkOffsetTag = (1 << 3) | 0
const chunkCrcTag = (2 << 3) | 5
const chunkDataTag = (3 << 3) | 2
const chunkSharedTag = (4 << 3) | 2

/**
 * Serializes a frame message. Chunks are written by hand, straight into the transport's frame: the generated code copies their
 * data twice more, and they are nearly all the bytes that the mesh moves. A chunk's data must not change until it is written.
 */
export function encodeFrameMessage({ frame }: FrameMessage): Uint8Array | LargeMessage {
  if (frame === undefined) return new Uint8Array(0)
  if (frame.frame?.$case === 'chunk' && !frame.frame.value.shared)
    return layOutChunk(frame.transferId, frame.frame.value)
  const encoded = TransferFrame.encode(frame).finish()
  const message = Buffer.allocUnsafe(1 + varintLength(encoded.byteLength) + encoded.byteLength)
  const at = writeVarint(message, writeVarint(message, 0, frameTag), encoded.byteLength)
  message.set(encoded, at)
  return message
}

function layOutChunk(transferId: number, { offset, crc32c, data }: TransferChunk): LargeMessage {
  const start = Number(offset)
  const chunkLength = 1 + varintLength(start) + 5 + 1 + varintLength(data.byteLength) + data.byteLength
  const frameLength = 1 + varintLength(transferId) + 1 + varintLength(chunkLength) + chunkLength
  return {
    byteLength: 1 + varintLength(frameLength) + frameLength,
    writeTo: (target, from) => {
      let at = writeVarint(target, writeVarint(target, from, frameTag), frameLength)
      at = writeVarint(target, writeVarint(target, at, transferIdTag), transferId)
      at = writeVarint(target, writeVarint(target, at, chunkTag), chunkLength)
      at = writeVarint(target, writeVarint(target, at, chunkOffsetTag), start)
      at = target.writeUInt32LE(crc32c, writeVarint(target, at, chunkCrcTag))
      at = writeVarint(target, writeVarint(target, at, chunkDataTag), data.byteLength)
      target.set(data, at)
    },
  }
}

/** Reads a frame message. The data of a chunk is a view of the input, which need not be 8-byte aligned. */
export function decodeFrameMessage(input: Uint8Array): FrameMessage {
  const reader = new BinaryReader(input)
  let frame: TransferFrame | undefined
  while (reader.pos < reader.len) {
    const [field, wireType] = reader.tag()
    if (tagOf(field, wireType) === frameTag) frame = decodeFrame(reader.bytes())
    else reader.skip(wireType, field)
  }
  return { frame }
}

function decodeFrame(input: Uint8Array): TransferFrame {
  const reader = new BinaryReader(input)
  let transferId = 0
  while (reader.pos < reader.len) {
    const tag = reader.uint32()
    if (tag === transferIdTag) {
      transferId = reader.uint32()
    } else if (tag === chunkTag) {
      const chunk = reader.bytes()
      // Fields may come in any order: only a chunk that comes last is surely the whole story.
      if (reader.pos < reader.len) break
      const value = decodeChunk(chunk)
      if (value === undefined) break
      return { transferId, frame: { $case: 'chunk', value } }
    } else {
      break
    }
  }
  return TransferFrame.decode(input)
}

/** Nothing for a chunk whose bytes lie elsewhere: it is small. */
function decodeChunk(input: Uint8Array): TransferChunk | undefined {
  const reader = new BinaryReader(input)
  let offset = 0n
  let crc32c = 0
  let data = new Uint8Array(0)
  while (reader.pos < reader.len) {
    const [field, wireType] = reader.tag()
    const tag = tagOf(field, wireType)
    if (tag === chunkOffsetTag) offset = BigInt(reader.uint64())
    else if (tag === chunkCrcTag) crc32c = reader.fixed32()
    else if (tag === chunkDataTag) data = reader.bytes() as Uint8Array<ArrayBuffer>
    else if (tag === chunkSharedTag) return undefined
    else reader.skip(wireType, field)
  }
  return { offset, crc32c, data: Buffer.from(data.buffer, data.byteOffset, data.byteLength), shared: undefined }
}

function tagOf(field: number, wireType: number): number {
  return (field << 3) | wireType
}

function varintLength(value: number): number {
  let length = 1
  for (let rest = value; rest >= 0x80; rest = Math.floor(rest / 0x80)) length++
  return length
}

function writeVarint(target: Buffer, at: number, value: number): number {
  let rest = value
  let position = at
  while (rest >= 0x80) {
    target[position++] = (rest % 0x80) | 0x80
    rest = Math.floor(rest / 0x80)
  }
  target[position++] = rest
  return position
}
