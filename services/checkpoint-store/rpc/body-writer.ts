import crypto, { createHash } from 'node:crypto'

import { xxh64 } from '@node-rs/xxhash'

import type { Body, ChunkRef, Digest } from '../core/state.js'
import type { BufferPool } from '../storage/buffer-pool.js'
import { chunkBytes, type ChunkStore, type WrittenChunk } from '../storage/chunk-store.js'

/** Bodies up to this many bytes lie in the catalogue, and with it in memory: a file for each would cost more. */
export const inlineBytes = 4096
/** How many chunks of one body are hashed, written and synced at a time. */
const chunksAtOnce = 4

/** What a body is written with. */
export interface BodyPorts {
  readonly chunks: ChunkStore
  readonly buffers: BufferPool
  /** Whether the chunk is on disk already and stays there until the put is over. */
  isHere(digest: Digest): Promise<boolean>
}

/** A body that is on disk; nobody sees it yet. */
export interface WrittenBody {
  readonly body: Body
  readonly written: readonly WrittenChunk[]
}

/** Cuts a body that comes in pieces into chunks, and writes those that the disk does not have while the rest comes. */
export class BodyWriter {
  readonly #ports: BodyPorts
  readonly #byteLength: number
  readonly #refs: Promise<ChunkRef>[] = []
  readonly #written: WrittenChunk[] = []
  readonly #storing = new Set<Promise<unknown>>()
  /**
   * Of the chunk that is being filled. Here, piece by piece while it is in the cache, and not in another thread: that copies the chunk
   * into fresh memory first, which costs as much processor again, and has the garbage collector run for it.
   */
  #hash = createHash('sha256')
  #buffer: Buffer
  #filled = 0
  #taken = 0
  #failure: { readonly error: unknown } | undefined

  static async create(ports: BodyPorts, byteLength: number): Promise<BodyWriter> {
    return new BodyWriter(ports, byteLength, await ports.buffers.take(byteLength))
  }

  private constructor(ports: BodyPorts, byteLength: number, buffer: Buffer) {
    this.#ports = ports
    this.#byteLength = byteLength
    this.#buffer = buffer
  }

  /** Memory for the next piece, which is then written: it need not be copied. */
  place(byteLength: number): Uint8Array {
    const end = this.#filled + byteLength
    return end <= this.#buffer.byteLength ? this.#buffer.subarray(this.#filled, end) : Buffer.allocUnsafe(byteLength)
  }

  async write(data: Uint8Array): Promise<void> {
    const isPlaced = data.buffer === this.#buffer.buffer && data.byteOffset === this.#buffer.byteOffset + this.#filled
    for (let start = 0; start < data.byteLength;) {
      const piece = data.subarray(start, start + chunkBytes - this.#filled)
      if (!isPlaced) this.#buffer.set(piece, this.#filled)
      if (this.#byteLength > inlineBytes) this.#hash.update(piece)
      this.#filled += piece.byteLength
      this.#taken += piece.byteLength
      start += piece.byteLength
      if (this.#filled < chunkBytes) continue
      // What reaches into the next chunk is copied out before this memory may be used again, and this chunk goes its way
      // before there is memory for the next: who waits for memory holds none.
      const rest = isPlaced && start < data.byteLength ? Buffer.from(data.subarray(start)) : undefined
      this.#store(this.#buffer, chunkBytes)
      this.#filled = 0
      const left = this.#byteLength - this.#taken
      this.#buffer = left > 0 ? await this.#ports.buffers.take(left) : Buffer.alloc(0)
      if (rest) {
        this.#buffer.set(rest)
        this.#hash.update(rest)
        this.#filled = rest.byteLength
        this.#taken += rest.byteLength
        start = data.byteLength
      }
      while (this.#storing.size >= chunksAtOnce) await Promise.race(this.#storing)
      if (this.#failure) throw this.#failure.error
    }
  }

  /** Everything came: waits until it is on disk. `digest` names a blob; anything else is named by its chunks. */
  async finish(checksum: string, digest?: Digest): Promise<WrittenBody> {
    const byteLength = this.#byteLength
    if (byteLength <= inlineBytes) {
      return { body: inlineBody(this.#buffer.subarray(0, this.#filled), checksum, digest), written: [] }
    }
    if (this.#filled > 0) this.#store(this.#buffer, this.#filled)
    this.#buffer = Buffer.alloc(0)
    const chunks = await Promise.all(this.#refs)
    const name = digest ?? nameOf(chunks)
    return { body: { digest: name, byteLength, checksum, content: { kind: 'chunks', chunks } }, written: this.#written }
  }

  /** Leaves nothing behind of what nobody sees. Waits for what is being written. */
  async discard(): Promise<void> {
    this.#ports.buffers.giveBack(this.#buffer)
    this.#buffer = Buffer.alloc(0)
    await Promise.allSettled(this.#storing)
    await Promise.all(this.#written.map((chunk) => chunk.discard()))
  }

  #store(buffer: Buffer, byteLength: number): void {
    const digest = this.#hash.digest('hex')
    this.#hash = createHash('sha256')
    const storing = this.#storeChunk(digest, buffer.subarray(0, byteLength)).finally(() => {
      this.#storing.delete(storing)
      this.#ports.buffers.giveBack(buffer)
    })
    this.#storing.add(storing)
    this.#refs.push(storing)
    storing.catch((error: unknown) => (this.#failure ??= { error }))
  }

  async #storeChunk(digest: Digest, bytes: Buffer): Promise<ChunkRef> {
    const checksum = checksumOf(xxh64(bytes))
    if (!(await this.#ports.isHere(digest))) this.#written.push(await this.#ports.chunks.write(digest, bytes))
    return { digest, byteLength: bytes.byteLength, checksum }
  }
}

/** A short body, which lies in the catalogue. Its bytes are copied: what they came in is larger, or is used again. */
export function inlineBody(data: Uint8Array, checksum: string, digest = sha256Of(data)): Body {
  const bytes = new Uint8Array(data)
  return { digest, byteLength: bytes.byteLength, checksum, content: { kind: 'inline', bytes } }
}

/** An xxh64 as the catalogue has it. */
export function checksumOf(hash: bigint): string {
  return hash.toString(16).padStart(16, '0')
}

export function sha256Of(bytes: Uint8Array): Digest {
  return hashAtOnce ? hashAtOnce('sha256', bytes) : createHash('sha256').update(bytes).digest('hex')
}

/** A third of the time for a short body; since Node 20.12. */
const hashAtOnce = crypto.hash as typeof crypto.hash | undefined

function nameOf(chunks: readonly ChunkRef[]): Digest {
  const [only] = chunks
  if (only && chunks.length === 1) return only.digest
  return sha256Of(Buffer.concat(chunks.map(({ digest }) => Buffer.from(digest, 'hex'))))
}
