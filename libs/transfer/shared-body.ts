import fs from 'node:fs'
import { promisify } from 'node:util'

import { Status } from 'nice-grpc-common'

import type { SharedBody, TransferHeader } from '#libs/proto'
import { discardBuffer, takeFrame } from '#libs/rpc'

import { createDigester } from './digest.js'
import type { BodyHeader, Sink } from './endpoint.js'
import { checkHeader, headerOf } from './header.js'
import { chunkBytes, sharedBodyBytes, slotBytes } from './limits.js'
import { mapCopy, type MappedCopy } from './mapped-copy.js'
import type { OpenSink } from './resume.js'
import { createUnsealedFile, openSealedFile } from './sealed-file.js'
import { createFile, openFile } from './shared-file.js'
import { TransferError } from './transfer-error.js'
import { nextTurn } from './turn.js'

const write = promisify(fs.write)
/** A longer body is not laid there as a whole: it would take as much memory once more. */
const mostBytes = 2 ** 29

/** A body that lies in shared memory as a whole, for many who share this host. */
export interface OfferedBody {
  readonly shared: SharedBody
  /** Nobody else can open it from now on; it goes when those who have it have given it up. */
  close(): void
}

/** Where a body goes that comes as a whole. */
export interface BodyPlace {
  readonly open: OpenSink
  /** Takes memory over in which the body lies, checked; false when it must go through a sink. */
  readonly adopt?: (header: TransferHeader, copy: MappedCopy, digest: Buffer) => Promise<boolean>
}

/**
 * Lays a body into shared memory, which is sealed where that can be: then nobody needs to digest it again. Nothing where there is none, no
 * room in it, or where that is not worth it.
 */
export async function offerSharedBody(
  header: BodyHeader,
  segments: readonly Uint8Array[],
  digest: Buffer,
): Promise<OfferedBody | undefined> {
  if (header.byteLength < sharedBodyBytes || header.byteLength > mostBytes) return undefined
  return (await offerSealed(header, segments, digest)) ?? (await offerNamed(header, segments, digest))
}

async function offerSealed(
  header: BodyHeader,
  segments: readonly Uint8Array[],
  digest: Buffer,
): Promise<OfferedBody | undefined> {
  const file = createUnsealedFile()
  if (file === undefined) return undefined
  const { name, fd } = file
  const close = (): void => fs.closeSync(fd)
  try {
    await writeAll(fd, segments)
    const sealed = file.seal()
    const shared = { name, header: headerOf(header), digest, sealed }
    // Of what can change no more: this is what all of them get.
    if (sealed) await digestOf(fd, name, shared, shared.header)
    if (sealed) return { shared, close }
  } catch {
    // No room, or not what was to be offered: then in another way.
  }
  close()
  return undefined
}

/** Finding pages for a long file takes the system longer than copying: in two threads. */
async function writeAll(fd: number, segments: readonly Uint8Array[]): Promise<void> {
  const pieces = piecesOf(segments)
  let end = 0
  const writeNext = async (): Promise<void> => {
    for (let next = pieces.next(); next.done !== true; next = pieces.next()) {
      const piece = next.value
      const at = end
      end += piece.byteLength
      for (let done = 0; done < piece.byteLength;) {
        done += (await write(fd, piece, done, piece.byteLength - done, at + done)).bytesWritten
      }
    }
  }
  // Both are over before the file is closed.
  const failed = (await Promise.allSettled([writeNext(), writeNext()])).find(({ status }) => status === 'rejected')
  if (failed) throw (failed as PromiseRejectedResult).reason as Error
}

/** The same as a file that can be changed, which everybody digests. */
export async function offerNamed(
  header: BodyHeader,
  segments: readonly Uint8Array[],
  digest: Buffer,
): Promise<OfferedBody | undefined> {
  const file = createFile()
  if (file === undefined) return undefined
  const close = (): void => {
    file.unlink()
    fs.closeSync(file.fd)
  }
  try {
    for (const piece of piecesOf(segments)) {
      for (let done = 0; done < piece.byteLength;) done += fs.writeSync(file.fd, piece, done)
      await nextTurn()
    }
  } catch {
    close()
    return undefined
  }
  return { shared: { name: file.name, header: headerOf(header), digest }, close }
}

function* piecesOf(segments: readonly Uint8Array[]): Generator<Uint8Array> {
  for (const segment of segments) {
    for (let start = 0; start < segment.byteLength; start += slotBytes) yield segment.subarray(start, start + slotBytes)
  }
}

/**
 * Gets a body that somebody on this host offers: as memory that all who do so share, where the system has it, else read into a sink.
 * False where it cannot be had so.
 *
 * @throws TransferError DATA_LOSS when it is not what was offered, and whatever it is refused with.
 */
export async function takeSharedBody(objectId: string, shared: SharedBody, place: BodyPlace): Promise<boolean> {
  const { header } = shared
  if (header === undefined) return false
  const fd = shared.sealed ? openSealedFile(shared.name, shared.sealed) : openFile(shared.name)
  if (fd === undefined) return false
  const name = `object ${objectId}`
  try {
    checkHeader(name, header)
    const byteLength = Number(header.byteLength)
    const there = fs.fstatSync(fd).size
    if (there !== byteLength) throw damaged(name, `${there} of ${byteLength} bytes are there`)
    if (place.adopt && byteLength > 0 && (await adoptMapped(fd, name, shared, header, place.adopt))) return true
    const sink = await place.open(header)
    await readInto(sink, fd, name, shared, header)
    return true
  } finally {
    fs.closeSync(fd)
  }
}

async function adoptMapped(
  fd: number,
  name: string,
  offered: SharedBody,
  header: TransferHeader,
  adopt: NonNullable<BodyPlace['adopt']>,
): Promise<boolean> {
  const copy = mapCopy(fd, Number(header.byteLength))
  if (copy === undefined) return false
  try {
    const digest = offered.sealed ? offered.digest : await digestOf(fd, name, offered, header)
    if (await adopt(header, copy, digest)) return true
  } catch (error) {
    copy.close()
    throw error
  }
  copy.close()
  return false
}

/** Read piece by piece into memory that is warm: that costs no more than to touch what is mapped, and most of that may never be touched. */
async function digestOf(fd: number, name: string, offered: SharedBody, header: TransferHeader): Promise<Buffer> {
  const byteLength = Number(header.byteLength)
  const digester = createDigester(header.digestAlgorithm)
  // What fits into the processor's own cache is digested faster.
  const memory = takeFrame(chunkBytes)
  try {
    for (let at = 0; at < byteLength; at += chunkBytes) {
      const piece = memory.subarray(0, Math.min(chunkBytes, byteLength - at))
      readPiece(fd, name, piece, at)
      digester.update(piece)
      if (at % slotBytes === 0) await nextTurn()
    }
  } finally {
    discardBuffer(memory)
  }
  return checked(name, offered, digester.digest())
}

function readPiece(fd: number, name: string, piece: Uint8Array, at: number): void {
  for (let done = 0; done < piece.byteLength;) {
    const count = fs.readSync(fd, piece, done, piece.byteLength - done, at + done)
    if (count === 0) throw damaged(name, `it ends at ${at + done}`)
    done += count
  }
}

async function readInto(
  sink: Sink,
  fd: number,
  name: string,
  offered: SharedBody,
  header: TransferHeader,
): Promise<void> {
  const byteLength = Number(header.byteLength)
  const digester = createDigester(header.digestAlgorithm)
  try {
    for (let at = 0; at < byteLength;) {
      const length = Math.min(slotBytes, byteLength - at)
      const piece = sink.place?.(length) ?? Buffer.allocUnsafeSlow(length)
      readPiece(fd, name, piece, at)
      digester.update(piece)
      await sink.write(piece)
      at += length
      await nextTurn()
    }
    await sink.commit(checked(name, offered, digester.digest()))
  } catch (error) {
    sink.abort()
    throw error
  }
}

function checked(name: string, { digest }: SharedBody, own: Buffer): Buffer {
  if (own.equals(digest)) return own
  throw damaged(name, `its digest is ${own.toString('hex')}, not ${digest.toString('hex')}`)
}

function damaged(name: string, why: string): TransferError {
  const message = `${name}: what lies in shared memory is not what was offered: ${why}`
  return new TransferError(Status.DATA_LOSS, 'SHARED_BODY_DAMAGED', message)
}
