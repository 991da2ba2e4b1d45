/** A chunk as the disk has it. */
export interface StoredChunk {
  readonly digest: string
  readonly byteLength: number
}

/** Bytes that are on disk and that nobody sees yet. */
export interface WrittenChunk {
  readonly digest: string
  /** Leaves nothing behind. Also to be called when publishing failed; does nothing once it succeeded. */
  discard(): Promise<void>
}

/**
 * Where chunks lie: at most 4 MiB of bytes under the SHA-256 that names them. Says nothing about whether they still are the
 * bytes that the name promises: who reads checks.
 */
export interface ChunkStore {
  list(): AsyncIterable<StoredChunk>
  /**
   * Takes the bytes, which may change once this has resolved, to where they are safe.
   *
   * @throws DiskFullError when there is no room; DiskFailedError when it is unknown what the disk has.
   */
  write(digest: string, bytes: Uint8Array): Promise<WrittenChunk>
  /** Makes chunks visible under their digests, durably, in the place of what was there. Throws as `write` does. */
  publish(chunks: readonly WrittenChunk[]): Promise<void>
  /**
   * The bytes from the start, in pieces that are not used again. The chunk may be published again meanwhile, but must not be
   * removed: its file may be used for another.
   *
   * @throws ChunkMissingError when it is not there.
   */
  read(digest: string): AsyncIterable<Uint8Array>
  /** Does nothing when it is not there. */
  remove(digest: string): Promise<void>
  /** Resolves when of everything that was discarded before nothing is left. */
  close(): Promise<void>
}

/** How long a chunk is at most: every one of a body but the last is as long as this. */
export const chunkBytes = 4 * 2 ** 20

/** The disk has no room. Nothing of what was being written is left. */
export class DiskFullError extends Error {
  override readonly name = 'DiskFullError'
}

/**
 * The disk failed while it was written to or synced. What it has is unknown, and another sync could say that all is well
 * when it is not: the process must end, and the next start look at what is there.
 */
export class DiskFailedError extends Error {
  override readonly name = 'DiskFailedError'
}

/** There is no chunk with this digest. */
export class ChunkMissingError extends Error {
  override readonly name = 'ChunkMissingError'
}
