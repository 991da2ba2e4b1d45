import { type FileHandle, mkdir, open, readdir, rename, rm, stat } from 'node:fs/promises'
import path from 'node:path'

import { syncDirectory, writeFully } from '#libs/journal'

import { BlobMissingError, type BlobReader, type BlobStore, type BlobWriter, DiskFullError } from './blob-store.js'

/** One piece of a blob while it is read: as long as a chunk of a transfer. */
const pieceBytes = 512 * 1024
const temporaryFolder = 'temporary'

/**
 * Blobs as files `<directory>/ab/abcdef…`, named by their SHA-256. Each is written under a temporary name, fsynced, renamed,
 * and its folder fsynced. What a crash left half written is deleted here.
 */
export async function openFileBlobStore(directory: string): Promise<BlobStore> {
  const temporary = path.join(directory, temporaryFolder)
  await rm(temporary, { recursive: true, force: true })
  await mkdir(temporary, { recursive: true, mode: 0o700 })
  return new FileBlobStore(directory)
}

class FileBlobStore implements BlobStore {
  readonly #directory: string
  /** The folders of which it is known that their names are durable. */
  readonly #durableFolders = new Set<string>()
  readonly #aborting = new Set<Promise<void>>()
  #nextTemporary = 1

  constructor(directory: string) {
    this.#directory = directory
  }

  async *list(): AsyncGenerator<{ digest: string; byteLength: number }, void> {
    for (const folder of await readdir(this.#directory)) {
      if (!/^[0-9a-f]{2}$/.test(folder)) continue
      for (const digest of await readdir(path.join(this.#directory, folder))) {
        if (!/^[0-9a-f]{64}$/.test(digest) || !digest.startsWith(folder)) continue
        yield { digest, byteLength: (await stat(this.#fileOf(digest))).size }
      }
    }
  }

  async create(): Promise<BlobWriter> {
    const temporary = path.join(this.#directory, temporaryFolder, String(this.#nextTemporary++))
    const file = await open(temporary, 'wx', 0o600).catch(explainFull)
    return new FileBlobWriter(file, temporary, {
      publish: (digest) => this.#publish(temporary, digest),
      aborting: (done) => {
        this.#aborting.add(done)
        void done.catch(() => undefined).then(() => this.#aborting.delete(done))
      },
    })
  }

  async open(digest: string): Promise<BlobReader> {
    try {
      const file = await open(this.#fileOf(digest), 'r')
      return { byteLength: (await file.stat()).size, read: () => readPieces(file), close: () => file.close() }
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error
      throw new BlobMissingError(`blob ${digest} is missing`, { cause: error })
    }
  }

  async remove(digest: string): Promise<void> {
    await rm(this.#fileOf(digest), { force: true })
  }

  async close(): Promise<void> {
    await Promise.allSettled(this.#aborting)
  }

  async #publish(temporary: string, digest: string): Promise<void> {
    const file = this.#fileOf(digest)
    const folder = path.dirname(file)
    if (!this.#durableFolders.has(folder)) {
      await mkdir(folder, { recursive: true, mode: 0o700 })
      await syncDirectory(this.#directory)
      this.#durableFolders.add(folder)
    }
    await rename(temporary, file)
    await syncDirectory(folder)
  }

  #fileOf(digest: string): string {
    return path.join(this.#directory, digest.slice(0, 2), digest)
  }
}

/** What a writer's store does with it. */
interface WriterEnds {
  publish(digest: string): Promise<void>
  aborting(done: Promise<void>): void
}

class FileBlobWriter implements BlobWriter {
  readonly #file: FileHandle
  readonly #temporary: string
  readonly #ends: WriterEnds
  #position = 0
  #closed = false

  constructor(file: FileHandle, temporary: string, ends: WriterEnds) {
    this.#file = file
    this.#temporary = temporary
    this.#ends = ends
  }

  async write(data: Uint8Array): Promise<void> {
    await writeFully(this.#file, data, this.#position).catch(explainFull)
    this.#position += data.byteLength
  }

  async commit(digest: string): Promise<void> {
    // Some file systems find out only here that they are full.
    await this.#file.sync().catch(explainFull)
    await this.#close()
    await this.#ends.publish(digest).catch(explainFull)
  }

  async abort(): Promise<void> {
    const done = this.#remove()
    this.#ends.aborting(done)
    await done
  }

  async #remove(): Promise<void> {
    await this.#close().catch(() => undefined)
    await rm(this.#temporary, { force: true })
  }

  async #close(): Promise<void> {
    if (this.#closed) return
    this.#closed = true
    await this.#file.close()
  }
}

async function* readPieces(file: FileHandle): AsyncGenerator<Uint8Array, void> {
  for (let position = 0; ;) {
    // Fresh memory for each: a piece is on its way to the network while the next one is read.
    const piece = Buffer.allocUnsafeSlow(pieceBytes)
    const { bytesRead } = await file.read(piece, 0, pieceBytes, position)
    if (bytesRead === 0) return
    position += bytesRead
    yield piece.subarray(0, bytesRead)
  }
}

function explainFull(error: unknown): never {
  const { code } = error as NodeJS.ErrnoException
  if (code !== 'ENOSPC' && code !== 'EDQUOT') throw error
  const what =
    code === 'EDQUOT' ? 'the disk quota of the checkpoint-store is used up' : 'the disk of the checkpoint-store is full'
  const advice = 'delete checkpoints that are no longer needed, or give it more room and limit it with --max-disk-bytes'
  throw new DiskFullError(`${what}: ${advice}`, { cause: error })
}
