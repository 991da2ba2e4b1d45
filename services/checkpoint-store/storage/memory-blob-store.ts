import { BlobMissingError, type BlobStore } from './blob-store.js'

/** Blobs that end with their process: for tests. */
export function createMemoryBlobStore(): BlobStore & { readonly blobs: Map<string, Buffer> } {
  const blobs = new Map<string, Buffer>()
  return {
    blobs,
    list: async function* () {
      for (const [digest, { byteLength }] of [...blobs]) yield { digest, byteLength }
    },
    create: async () => {
      const pieces: Buffer[] = []
      return {
        write: async (data) => void pieces.push(Buffer.from(data)),
        commit: async (digest) => void blobs.set(digest, Buffer.concat(pieces)),
        abort: async () => undefined,
      }
    },
    open: async (digest) => {
      const blob = blobs.get(digest)
      if (blob === undefined) throw new BlobMissingError(`blob ${digest} is missing`)
      return {
        byteLength: blob.byteLength,
        read: async function* () {
          if (blob.byteLength > 0) yield blob
        },
        close: async () => undefined,
      }
    },
    remove: async (digest) => void blobs.delete(digest),
    close: async () => undefined,
  }
}
