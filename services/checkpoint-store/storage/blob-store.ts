/** A blob as the disk has it. */
export interface StoredBlob {
  readonly digest: string
  readonly byteLength: number
}

/** A blob on its way in; nobody sees it before its commit. */
export interface BlobWriter {
  /** Takes the next bytes; they may change once this has resolved. */
  write(data: Uint8Array): Promise<void>
  /** Makes the bytes visible and durable under this digest, in the place of what was there. */
  commit(digest: string): Promise<void>
  /** Leaves nothing behind. Also to be called after a commit that failed. */
  abort(): Promise<void>
}

/** A blob that is being read; it stays readable when it is removed meanwhile. */
export interface BlobReader {
  readonly byteLength: number
  /** The bytes from the start, in pieces that are not used again. */
  read(): AsyncIterable<Uint8Array>
  close(): Promise<void>
}

/**
 * Where blobs lie: bytes under the SHA-256 that names them. Says nothing about whether they still are the bytes that the name
 * promises: who reads checks.
 */
export interface BlobStore {
  list(): AsyncIterable<StoredBlob>
  /** @throws DiskFullError here and while writing, when there is no room. */
  create(): Promise<BlobWriter>
  /** @throws BlobMissingError when it is not there. */
  open(digest: string): Promise<BlobReader>
  /** Does nothing when it is not there. */
  remove(digest: string): Promise<void>
  /** Resolves when of every writer that was aborted before nothing is left. */
  close(): Promise<void>
}

/** The disk has no room. Nothing of what was being written is left. */
export class DiskFullError extends Error {
  override readonly name = 'DiskFullError'
}

/** There is no blob with this digest. */
export class BlobMissingError extends Error {
  override readonly name = 'BlobMissingError'
}
