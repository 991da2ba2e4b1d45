import { Xxh64 } from '@node-rs/xxhash'

import { rpcError } from '#libs/rpc'

import type { Body, ChunkRef } from '../core/state.js'
import { ChunkMissingError, type ReadMemory } from '../storage/chunk-store.js'
import { checksumOf } from './body-writer.js'
import type { TransferPorts } from './transfer-ports.js'

type ReadPorts = Pick<TransferPorts, 'chunks' | 'readMemory' | 'loop' | 'meter' | 'logger'>

/**
 * The bytes of a body from an offset on, in pieces, each of which is only valid until the next one is asked for. Every chunk is
 * compared with its checksum before the next one is read.
 */
export async function* readBody(
  ports: ReadPorts,
  { content, byteLength }: Body,
  offset = 0,
): AsyncGenerator<Uint8Array, void> {
  if (content.kind === 'inline') {
    if (offset < content.bytes.byteLength) yield content.bytes.subarray(offset)
    return
  }
  const memory = ports.readMemory.take(byteLength)
  let start = 0
  try {
    for (const chunk of content.chunks) {
      const skip = Math.max(0, offset - start)
      start += chunk.byteLength
      if (skip < chunk.byteLength) yield* readChunk(ports, chunk, skip, memory)
    }
  } finally {
    ports.readMemory.giveBack(memory)
  }
}

/** A body that is small enough to be had at once. */
export async function readWhole(ports: ReadPorts, body: Body): Promise<Buffer> {
  const pieces: Uint8Array[] = []
  for await (const piece of readBody(ports, body)) pieces.push(Buffer.from(piece))
  return Buffer.concat(pieces)
}

async function* readChunk(
  ports: ReadPorts,
  chunk: ChunkRef,
  skip: number,
  memory: ReadMemory,
): AsyncGenerator<Uint8Array, void> {
  const hash = new Xxh64()
  let position = 0
  let isRight = false
  try {
    for await (const piece of ports.chunks.read(chunk.digest, memory)) {
      hash.update(piece)
      const wanted = piece.subarray(Math.max(0, skip - position))
      position += piece.byteLength
      // The last piece waits for the verdict: a body of one short chunk is checked before anything of it is sent.
      isRight = position === chunk.byteLength && checksumOf(hash.digest()) === chunk.checksum
      if (position >= chunk.byteLength && !isRight) break
      if (wanted.byteLength > 0) yield wanted
    }
  } catch (error) {
    if (error instanceof ChunkMissingError) throw damaged(ports, chunk, 'missing')
    ports.logger.error({ err: error, digest: chunk.digest }, 'a chunk could not be read')
    throw damaged(ports, chunk, 'damaged')
  }
  if (!isRight) throw damaged(ports, chunk, 'damaged')
}

/** From now on the chunk is not given out; the error says what to do. */
function damaged(ports: ReadPorts, { digest }: ChunkRef, health: 'damaged' | 'missing'): Error {
  ports.loop.post({ kind: 'chunkExamined', digest, health })
  ports.meter.damageFound()
  ports.logger.error({ digest, health }, 'a chunk is not on disk as it was stored')
  const finding = health === 'missing' ? 'is gone from the disk' : 'has changed on disk since it was stored'
  const message = `chunk ${digest} ${finding}: put or save it again, or load an older version; and check the disk`
  return rpcError('DATA_LOSS', 'BLOB_DAMAGED', message, { metadata: { digest } })
}
