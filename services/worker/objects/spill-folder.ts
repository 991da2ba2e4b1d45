import { type FileHandle, mkdir, mkdtemp, open, rm, statfs } from 'node:fs/promises'
import { hostname } from 'node:os'
import path from 'node:path'

import { Status } from 'nice-grpc-common'

import { allocateLarge, type Bytes, writeBytes } from '#libs/memory'
import { DigestAlgorithm } from '#libs/proto'
import { createDigester, TransferError, xxh64Bytes } from '#libs/transfer'

import { PieceChecksums } from './piece-checksums.js'
import { birthOf, spillFolderPrefix, sweepSpillFolders } from './spill-sweep.js'

/** One piece of a body while it is read: long enough that the disk, and not the number of calls, sets the pace. */
const pieceBytes = 1024 * 1024
/**
 * How many pieces are in use at a time, those of a stream's outbox and of the transport included: memory that is used again need
 * not be collected, and what is being sent does not fill a worker whose memory is nearly full. If one was too few, its CRC-32C
 * would say so.
 */
const pieces = 8

/** The bytes of an object on the disk. */
export interface SpilledBody {
  readonly byteLength: number
  readonly xxh64: bigint
  /**
   * The bytes, in memory of their own.
   *
   * @throws TransferError DATA_LOSS with the object's id when they are not what they were, or cannot be read.
   */
  read(): Promise<Bytes<ArrayBuffer>>
  /**
   * The bytes from there on, each piece valid while the next seven are read.
   *
   * @throws when a piece is not what it was; whether all of them are, who reads must see.
   */
  readFrom(offset: number): AsyncIterable<Uint8Array>
  /** The error for bytes that are not what they were. */
  damage(cause?: unknown): TransferError
  /** Who reads it may finish. */
  remove(): void
}

/** A body on its way to the disk. */
export interface SpillFile {
  /** @throws SpillError when there is no room. The data may change once this has resolved. */
  write(data: Uint8Array): Promise<void>
  /** Everything is there. */
  finish(xxh64: bigint): Promise<SpilledBody>
  abandon(): void
}

/** A folder of this process alone, for objects that find no room in its memory. */
export interface SpillFolder {
  readonly path: string
  /** @throws SpillError when there is no room for so much. */
  create(objectId: string, byteLength: number): Promise<SpillFile>
  /** Removes everything. */
  close(): Promise<void>
}

/** Nothing can be spilled now; the message says why, and what to do. */
export class SpillError extends Error {
  override readonly name = 'SpillError'
}

/**
 * Makes a folder for this process below `parent`, where a crash of it leaves what the next worker removes; and removes what
 * dead ones of this host and user left there.
 *
 * @throws when it cannot be made.
 */
export async function openSpillFolder(parent: string, limitBytes = Infinity): Promise<SpillFolder> {
  await mkdir(parent, { recursive: true, mode: 0o700 })
  await sweepSpillFolders(parent)
  // The mode of what mkdtemp makes is 0700.
  const prefix = `${spillFolderPrefix}${hostname()}-${process.pid}-${birthOf(process.pid)}-`
  return new DiskFolder(await mkdtemp(path.join(parent, prefix)), limitBytes)
}

class DiskFolder implements SpillFolder {
  readonly path: string
  readonly #limitBytes: number
  #takenBytes = 0
  #files = 0

  constructor(folder: string, limitBytes: number) {
    this.path = folder
    this.#limitBytes = limitBytes
  }

  async create(objectId: string, byteLength: number): Promise<SpillFile> {
    if (this.#takenBytes + byteLength > this.#limitBytes) {
      throw this.#full(objectId, `the spill limit of ${this.#limitBytes} bytes leaves no room for ${byteLength} more`)
    }
    this.#takenBytes += byteLength
    const file = path.join(this.path, String(this.#files++))
    let isRemoved = false
    const remove = (): void => {
      if (isRemoved) return
      isRemoved = true
      this.#takenBytes -= byteLength
      void rm(file, { force: true }).catch(() => undefined)
    }
    try {
      const { bavail, bsize } = await statfs(this.path)
      // Found before the disk is full for everybody else, too.
      if (bavail * bsize < byteLength) throw new Error(`${byteLength} bytes are more than is free there`)
      const handle = await open(file, 'wx', 0o600)
      return spillFile(handle, {
        finish: (xxh64, checksums) => spilledBody(objectId, { file, byteLength, xxh64, checksums, remove }),
        remove,
        explain: (cause) => this.#full(objectId, (cause as Error).message, cause),
      })
    } catch (cause) {
      remove()
      throw this.#full(objectId, (cause as Error).message, cause)
    }
  }

  async close(): Promise<void> {
    await rm(this.path, { recursive: true, force: true })
  }

  #full(objectId: string, why: string, cause?: unknown): SpillError {
    const message =
      `object ${objectId} cannot be spilled to ${this.path}: ${why}; make room there, release objects, or start workers ` +
      'with another --spill-dir'
    return new SpillError(message, { cause })
  }
}

function spillFile(
  handle: FileHandle,
  on: {
    finish(xxh64: bigint, checksums: PieceChecksums): SpilledBody
    remove(): void
    explain(cause: unknown): SpillError
  },
): SpillFile {
  const checksums = new PieceChecksums(pieceBytes)
  let isClosed = false
  const close = async (): Promise<void> => {
    if (isClosed) return
    isClosed = true
    await handle.close()
  }
  return {
    write: async (data) => {
      checksums.add(data)
      try {
        for (let done = 0; done < data.byteLength;) {
          done += (await handle.write(data, done, data.byteLength - done)).bytesWritten
        }
      } catch (cause) {
        throw on.explain(cause)
      }
    },
    finish: async (xxh64) => {
      // Nobody counts on it after a crash: what the disk loses, its digest finds.
      await close().catch((cause: unknown) => {
        throw on.explain(cause)
      })
      return on.finish(xxh64, checksums)
    },
    abandon: () => {
      void close().catch(() => undefined)
      on.remove()
    },
  }
}

async function fill(handle: FileHandle, piece: Uint8Array, start: number): Promise<void> {
  for (let done = 0; done < piece.byteLength;) {
    const { bytesRead } = await handle.read(piece, done, piece.byteLength - done, start + done)
    if (bytesRead === 0) throw new Error(`${start + done} bytes of it are there`)
    done += bytesRead
  }
}

function spilledBody(
  objectId: string,
  facts: {
    readonly file: string
    readonly byteLength: number
    readonly xxh64: bigint
    readonly checksums: PieceChecksums
    readonly remove: () => void
  },
): SpilledBody {
  const { file, byteLength, xxh64, checksums, remove } = facts
  const damage = (cause?: unknown): TransferError => {
    const why = cause === undefined ? `its digest is not ${xxh64.toString(16)}` : (cause as Error).message
    const message = `object ${objectId} was spilled to disk and is not what it was: ${why}`
    return new TransferError(Status.DATA_LOSS, 'SPILL_DAMAGED', message, { cause })
  }
  async function* readFrom(offset: number): AsyncGenerator<Uint8Array, void> {
    const handle = await open(file, 'r')
    const ring: Buffer[] = []
    try {
      // Whole pieces are read, so that each can be compared.
      for (let index = Math.floor(offset / pieceBytes); index * pieceBytes < byteLength; index++) {
        const start = index * pieceBytes
        const length = Math.min(pieceBytes, byteLength - start)
        const piece = (ring[index % pieces] ??= Buffer.allocUnsafeSlow(Math.min(pieceBytes, byteLength))).subarray(
          0,
          length,
        )
        await fill(handle, piece, start)
        if (!checksums.matches(index, piece)) throw new Error(`its bytes from ${start} on are not what was written`)
        yield piece.subarray(Math.max(0, offset - start))
      }
    } finally {
      await handle.close()
    }
  }
  return {
    ...{ byteLength, xxh64, damage, readFrom, remove },
    read: async () => {
      const bytes = allocateLarge(byteLength)
      const digester = createDigester(DigestAlgorithm.XXH64)
      let at = 0
      try {
        for await (const piece of readFrom(0)) {
          writeBytes(bytes, piece, at)
          digester.update(piece)
          at += piece.byteLength
        }
      } catch (cause) {
        throw damage(cause)
      }
      if (!digester.digest().equals(xxh64Bytes(xxh64))) throw damage()
      return bytes
    },
  }
}
