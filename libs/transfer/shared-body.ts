import { Status } from 'nice-grpc-common'

import type { SharedBody, TransferHeader } from '#libs/proto'

import { createDigester } from './digest.js'
import type { BodyHeader, Sink } from './endpoint.js'
import { checkHeader, headerOf } from './header.js'
import { sharedBodyBytes, slotBytes, slotChunkBytes } from './limits.js'
import type { OpenSink } from './resume.js'
import { createSharedFile, openSharedFile, type SharedFile } from './shared-file.js'
import { TransferError } from './transfer-error.js'
import { nextTurn } from './turn.js'

/** A body that lies in shared memory as a whole, for many who share this host. */
export interface OfferedBody {
  readonly shared: SharedBody
  /** Nobody else can open it from now on; it goes when those who read it have closed it. */
  close(): void
}

/** A longer body is not laid there as a whole: it would take as much memory once more. */
const mostBytes = 2 ** 29

/** Lays a body into shared memory; nothing where there is none, no room in it, or where that is not worth it. */
export async function offerSharedBody(
  header: BodyHeader,
  segments: readonly Uint8Array[],
  digest: Buffer,
): Promise<OfferedBody | undefined> {
  const isWorthIt = header.byteLength >= sharedBodyBytes && header.byteLength <= mostBytes
  const file = isWorthIt ? createSharedFile() : undefined
  if (file === undefined) return undefined
  const close = (): void => {
    file.unlink()
    file.close()
  }
  try {
    let at = 0
    for (const segment of segments) {
      for (let start = 0; start < segment.byteLength; start += slotBytes) {
        const piece = segment.subarray(start, start + slotBytes)
        file.writeAt(at, piece)
        at += piece.byteLength
        await nextTurn()
      }
    }
  } catch {
    close()
    return undefined
  }
  return { shared: { name: file.name, header: headerOf(header), digest }, close }
}

/**
 * Reads a body that somebody on this host offers into the sink that `open` makes. False where it cannot be had so.
 *
 * @throws TransferError DATA_LOSS when it is not what was offered, and whatever `open` refuses it with.
 */
export async function readSharedBody(objectId: string, shared: SharedBody, open: OpenSink): Promise<boolean> {
  const { name: fileName, header, digest } = shared
  if (header === undefined) return false
  const file = openSharedFile(fileName)
  if (file === undefined) return false
  const name = `object ${objectId}`
  try {
    checkHeader(name, header)
    const sink = await open(header)
    try {
      await sink.commit(await readInto(sink, file, header, (own) => own.equals(digest)))
    } catch (error) {
      sink.abort()
      throw error instanceof DamagedBody ? damaged(name, error) : error
    }
    return true
  } finally {
    file.close()
  }
}

/** Reads all of it; its digest, when that is right. */
async function readInto(
  sink: Sink,
  file: SharedFile,
  { byteLength, digestAlgorithm }: TransferHeader,
  isRight: (digest: Buffer) => boolean,
): Promise<Buffer> {
  const digester = createDigester(digestAlgorithm)
  for (let at = 0; at < Number(byteLength);) {
    const length = Math.min(slotChunkBytes, Number(byteLength) - at)
    const piece = sink.place?.(length) ?? Buffer.allocUnsafeSlow(length)
    try {
      file.readAt(at, piece)
    } catch (error) {
      throw new DamagedBody((error as Error).message)
    }
    digester.update(piece)
    await sink.write(piece)
    at += length
    await nextTurn()
  }
  const digest = digester.digest()
  if (!isRight(digest)) throw new DamagedBody(`its digest is ${digest.toString('hex')}`)
  return digest
}

class DamagedBody extends Error {}

function damaged(name: string, cause: DamagedBody): TransferError {
  const message = `${name}: what lies in shared memory is not what was offered: ${cause.message}`
  return new TransferError(Status.DATA_LOSS, 'SHARED_BODY_DAMAGED', message, { cause })
}
