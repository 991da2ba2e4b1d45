import { type FileHandle, mkdir, open, readdir, readFile, rename, rm, stat } from 'node:fs/promises'
import path from 'node:path'

import { syncDirectory, writeFully } from '#libs/journal'

import {
  ChunkMissingError,
  type ChunkStore,
  createReadMemory,
  DiskFailedError,
  DiskFullError,
  type StoredChunk,
  type WrittenChunk,
} from './chunk-store.js'
import type { Pass } from './failpoint.js'
import { pack, unpack } from './packing.js'

const temporaryFolder = 'temporary'
/**
 * Files of removed chunks that are written again in the place of new ones: the system has memory for their pages already,
 * and getting that costs several times what the writing does.
 */
const mostSpares = 16
/** Shorter ones are written in no time. */
const leastSpareBytes = 256 * 1024

/** `abcdef….<length>.br`: a chunk of this length, compressed. */
const packedName = /^([0-9a-f]{64})\.(\d{1,10})\.br$/

interface Spare {
  readonly file: string
  readonly byteLength: number
}

export interface FileChunkStoreOptions {
  readonly pass?: Pass
  /** Chunks that become shorter by that are compressed; those that are compressed are read in any case. */
  readonly compresses?: boolean
}

/**
 * Chunks as files `<directory>/a/abcdef…`, named by their SHA-256. Each is written under a temporary name, fsynced, renamed,
 * and its folder fsynced. What a crash left half written is deleted here.
 */
export async function openFileChunkStore(directory: string, options: FileChunkStoreOptions = {}): Promise<ChunkStore> {
  const temporary = path.join(directory, temporaryFolder)
  await rm(temporary, { recursive: true, force: true })
  await mkdir(temporary, { recursive: true, mode: 0o700 })
  const packed = new Map<string, number>()
  for (const digit of '0123456789abcdef') {
    await mkdir(path.join(directory, digit), { recursive: true, mode: 0o700 })
    for (const name of await readdir(path.join(directory, digit))) {
      const [, digest, byteLength] = packedName.exec(name) ?? []
      if (digest?.startsWith(digit)) packed.set(digest, Number(byteLength))
    }
  }
  await syncDirectory(directory)
  return new FileChunkStore(directory, packed, options)
}

class FileChunkStore implements ChunkStore {
  readonly #directory: string
  readonly #pass: Pass
  readonly #compresses: boolean
  /** The lengths of chunks whose files are compressed. */
  readonly #packed: Map<string, number>
  readonly #discarding = new Set<Promise<void>>()
  readonly #spares: Spare[] = []
  #nextTemporary = 1

  constructor(directory: string, packed: Map<string, number>, options: FileChunkStoreOptions) {
    const { pass = () => undefined, compresses = false } = options
    this.#directory = directory
    this.#packed = packed
    this.#pass = pass
    this.#compresses = compresses
  }

  async *list(): AsyncGenerator<StoredChunk, void> {
    for (const [digest, byteLength] of [...this.#packed]) yield { digest, byteLength }
    for (const folder of await readdir(this.#directory)) {
      if (!/^[0-9a-f]$/.test(folder)) continue
      for (const digest of await readdir(path.join(this.#directory, folder))) {
        if (!/^[0-9a-f]{64}$/.test(digest) || !digest.startsWith(folder) || this.#packed.has(digest)) continue
        yield { digest, byteLength: (await stat(this.#fileOf(digest))).size }
      }
    }
  }

  async write(digest: string, bytes: Uint8Array): Promise<WrittenChunk> {
    const packed = this.#compresses ? await pack(bytes) : undefined
    const spare = packed ? undefined : this.#takeSpare(bytes.byteLength)
    const temporary = spare ?? this.#newTemporary()
    const chunk = new TemporaryChunk(digest, temporary, (done) => this.#discard(done))
    if (packed) chunk.packedLength = bytes.byteLength
    this.#pass('before-chunk-write')
    try {
      const file = await open(temporary, spare ? 'r+' : 'wx', 0o600)
      await this.#fill(file, packed ?? bytes).finally(() => file.close())
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
        const { digest, packedLength } = chunk
        const before = this.#fileOf(digest)
        const file = this.#pathOf(digest, packedLength)
        await rename(chunk.file, file)
        chunk.isPublished = true
        if (packedLength === undefined) this.#packed.delete(digest)
        else this.#packed.set(digest, packedLength)
        // The same chunk in the other form, which may be damaged. One that was never there is no error.
        if (file !== before) await rm(before, { force: true })
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

  async *read(digest: string, memory = createReadMemory()): AsyncGenerator<Uint8Array, void> {
    const { file, packedLength } = await this.#openToRead(digest)
    if (packedLength !== undefined) {
      const packed = await readFile(file).finally(() => file.close())
      const bytes = await unpack(packed, packedLength)
      yield bytes
      return
    }
    const [first, second] = memory
    let next: ReturnType<typeof readPiece> | undefined
    try {
      next = readPiece(file, first, 0)
      for (let position = 0, isFirst = true; ; isFirst = !isFirst) {
        const piece = await next
        if (piece.byteLength === 0) return
        position += piece.byteLength
        next = readPiece(file, isFirst ? second : first, position)
        // Heard of when its turn has come.
        next.catch(() => undefined)
        yield piece
      }
    } finally {
      await next?.catch(() => undefined)
      await file.close()
    }
  }

  async remove(digest: string): Promise<void> {
    const file = this.#fileOf(digest)
    this.#pass('before-chunk-removal')
    const isPlain = !this.#packed.delete(digest)
    const byteLength = isPlain ? ((await stat(file).catch(() => undefined))?.size ?? 0) : 0
    if (byteLength >= leastSpareBytes) {
      const spare = this.#newTemporary()
      await rename(file, spare)
      this.#spares.push({ file: spare, byteLength })
      // Nothing may be of the oldest one's length any more.
      const oldest = this.#spares.length > mostSpares ? this.#spares.shift() : undefined
      if (oldest) await rm(oldest.file, { force: true })
    } else {
      await rm(file, { force: true })
    }
    this.#pass('after-chunk-removal')
  }

  async close(): Promise<void> {
    await Promise.allSettled(this.#discarding)
    await Promise.allSettled(this.#spares.splice(0).map(({ file }) => rm(file, { force: true })))
  }

  async #fill(file: FileHandle, bytes: Uint8Array): Promise<void> {
    await writeFully(file, bytes, 0)
    this.#pass('after-chunk-write')
    // Not the times: the file's length and its bytes.
    await file.datasync()
  }

  async #openToRead(digest: string): Promise<{ file: FileHandle; packedLength: number | undefined }> {
    const packedLength = this.#packed.get(digest)
    try {
      return { file: await open(this.#pathOf(digest, packedLength), 'r'), packedLength }
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error
      // It was published in the other form meanwhile.
      if (this.#packed.get(digest) !== packedLength) return await this.#openToRead(digest)
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

  /** One of this length: what a solver saves again and again ends in chunks of one length. */
  #takeSpare(byteLength: number): string | undefined {
    const at = this.#spares.findIndex((spare) => spare.byteLength === byteLength)
    return at < 0 ? undefined : this.#spares.splice(at, 1)[0]?.file
  }

  #newTemporary(): string {
    return path.join(this.#directory, temporaryFolder, String(this.#nextTemporary++))
  }

  #fileOf(digest: string): string {
    return this.#pathOf(digest, this.#packed.get(digest))
  }

  #pathOf(digest: string, packedLength: number | undefined): string {
    const name = packedLength === undefined ? digest : `${digest}.${packedLength}.br`
    return path.join(this.#directory, digest.slice(0, 1), name)
  }
}

async function readPiece(file: FileHandle, memory: Buffer, position: number): Promise<Uint8Array> {
  const { bytesRead } = await file.read(memory, 0, memory.byteLength, position)
  return memory.subarray(0, bytesRead)
}

class TemporaryChunk implements WrittenChunk {
  readonly digest: string
  readonly file: string
  readonly #discarding: (done: Promise<void>) => void
  isPublished = false
  /** How long the chunk is, when its file is compressed. */
  packedLength: number | undefined

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
