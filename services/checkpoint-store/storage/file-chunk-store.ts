import { type FileHandle, mkdir, open, readdir, rename, rm, stat } from 'node:fs/promises'
import path from 'node:path'

import { syncDirectory, writeFully } from '#libs/journal'

import {
  chunkBytes,
  ChunkMissingError,
  type ChunkStore,
  DiskFailedError,
  DiskFullError,
  type StoredChunk,
  type WrittenChunk,
} from './chunk-store.js'
import type { Pass } from './failpoint.js'

/** One piece of a chunk while it is read: as long as a chunk of a transfer. */
const pieceBytes = 512 * 1024
const temporaryFolder = 'temporary'
/**
 * Files of removed chunks that are written again in the place of new ones: the system has memory for their pages already,
 * and getting that costs several times what the writing does.
 */
const mostSpares = 16

/**
 * Chunks as files `<directory>/a/abcdef…`, named by their SHA-256. Each is written under a temporary name, fsynced, renamed,
 * and its folder fsynced. What a crash left half written is deleted here.
 */
export async function openFileChunkStore(directory: string, pass: Pass = () => undefined): Promise<ChunkStore> {
  const temporary = path.join(directory, temporaryFolder)
  await rm(temporary, { recursive: true, force: true })
  await mkdir(temporary, { recursive: true, mode: 0o700 })
  for (const digit of '0123456789abcdef') await mkdir(path.join(directory, digit), { recursive: true, mode: 0o700 })
  await syncDirectory(directory)
  return new FileChunkStore(directory, pass)
}

class FileChunkStore implements ChunkStore {
  readonly #directory: string
  readonly #pass: Pass
  readonly #discarding = new Set<Promise<void>>()
  readonly #spares: string[] = []
  #nextTemporary = 1

  constructor(directory: string, pass: Pass) {
    this.#directory = directory
    this.#pass = pass
  }

  async *list(): AsyncGenerator<StoredChunk, void> {
    for (const folder of await readdir(this.#directory)) {
      if (!/^[0-9a-f]$/.test(folder)) continue
      for (const digest of await readdir(path.join(this.#directory, folder))) {
        if (!/^[0-9a-f]{64}$/.test(digest) || !digest.startsWith(folder)) continue
        yield { digest, byteLength: (await stat(this.#fileOf(digest))).size }
      }
    }
  }

  async write(digest: string, bytes: Uint8Array): Promise<WrittenChunk> {
    const spare = bytes.byteLength === chunkBytes ? this.#spares.pop() : undefined
    const temporary = spare ?? this.#newTemporary()
    const chunk = new TemporaryChunk(digest, temporary, (done) => this.#discard(done))
    this.#pass('before-chunk-write')
    try {
      const file = await open(temporary, spare ? 'r+' : 'wx', 0o600)
      await this.#fill(file, bytes).finally(() => file.close())
    } catch (error) {
      await chunk.discard()
      throw explained(error)
    }
    this.#pass('after-chunk-sync')
    return chunk
  }

  async publish(chunks: readonly WrittenChunk[]): Promise<void> {
    if (chunks.length === 0) return
    const folders = new Set<string>()
    this.#pass('before-publish')
    try {
      for (const chunk of chunks) {
        if (!(chunk instanceof TemporaryChunk)) throw new Error(`chunk ${chunk.digest} was written elsewhere`)
        const file = this.#fileOf(chunk.digest)
        await rename(chunk.file, file)
        chunk.isPublished = true
        folders.add(path.dirname(file))
        this.#pass('between-renames')
      }
      this.#pass('after-renames')
      await Promise.all([...folders].map(syncDirectory))
    } catch (error) {
      throw explained(error)
    }
    this.#pass('after-folder-sync')
  }

  async *read(digest: string): AsyncGenerator<Uint8Array, void> {
    const file = await this.#openToRead(digest)
    try {
      for (let position = 0; ;) {
        // Fresh memory for each: a piece is on its way to the network while the next one is read.
        const piece = Buffer.allocUnsafeSlow(pieceBytes)
        const { bytesRead } = await file.read(piece, 0, pieceBytes, position)
        if (bytesRead === 0) return
        position += bytesRead
        yield piece.subarray(0, bytesRead)
      }
    } finally {
      await file.close()
    }
  }

  async remove(digest: string): Promise<void> {
    const file = this.#fileOf(digest)
    this.#pass('before-chunk-removal')
    const size = this.#spares.length < mostSpares ? (await stat(file).catch(() => undefined))?.size : undefined
    if (size === chunkBytes) {
      const spare = this.#newTemporary()
      await rename(file, spare)
      this.#spares.push(spare)
    } else {
      await rm(file, { force: true })
    }
    this.#pass('after-chunk-removal')
  }

  async close(): Promise<void> {
    await Promise.allSettled(this.#discarding)
    await Promise.allSettled(this.#spares.splice(0).map((spare) => rm(spare, { force: true })))
  }

  async #fill(file: FileHandle, bytes: Uint8Array): Promise<void> {
    await writeFully(file, bytes, 0)
    this.#pass('after-chunk-write')
    await file.sync()
  }

  async #openToRead(digest: string): Promise<FileHandle> {
    try {
      return await open(this.#fileOf(digest), 'r')
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error
      throw new ChunkMissingError(`chunk ${digest} is missing`, { cause: error })
    }
  }

  #discard(done: Promise<void>): void {
    this.#discarding.add(done)
    void done
      .catch(() => undefined)
      .then(() => {
        this.#discarding.delete(done)
        this.#pass('after-discard')
      })
  }

  #newTemporary(): string {
    return path.join(this.#directory, temporaryFolder, String(this.#nextTemporary++))
  }

  #fileOf(digest: string): string {
    return path.join(this.#directory, digest.slice(0, 1), digest)
  }
}

class TemporaryChunk implements WrittenChunk {
  readonly digest: string
  readonly file: string
  readonly #discarding: (done: Promise<void>) => void
  isPublished = false

  constructor(digest: string, file: string, discarding: (done: Promise<void>) => void) {
    this.digest = digest
    this.file = file
    this.#discarding = discarding
  }

  async discard(): Promise<void> {
    if (this.isPublished) return
    const done = rm(this.file, { force: true })
    this.#discarding(done)
    await done
  }
}

/** A disk without room can be cleared, and a mistake of ours repaired; of one that fails nothing is known any more. */
function explained(error: unknown): unknown {
  const { code } = error as NodeJS.ErrnoException
  if (code === undefined) return error
  if (code !== 'ENOSPC' && code !== 'EDQUOT') {
    const message = `the disk of the checkpoint-store failed (${code}): look after it, and start again: what was acknowledged is there`
    return new DiskFailedError(message, { cause: error })
  }
  const what =
    code === 'EDQUOT' ? 'the disk quota of the checkpoint-store is used up' : 'the disk of the checkpoint-store is full'
  const advice = 'delete checkpoints that are no longer needed, or give it more room and limit it with --max-disk-bytes'
  return new DiskFullError(`${what}: ${advice}`, { cause: error })
}
