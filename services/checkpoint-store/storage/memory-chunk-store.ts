import { ChunkMissingError, type ChunkStore, type WrittenChunk } from './chunk-store.js'

/** Chunks that end with their process: for tests. */
export function createMemoryChunkStore(): ChunkStore & { readonly chunks: Map<string, Buffer> } {
  const chunks = new Map<string, Buffer>()
  const written = new Map<WrittenChunk, Buffer>()
  return {
    chunks,
    list: async function* () {
      for (const [digest, { byteLength }] of [...chunks]) yield { digest, byteLength }
    },
    write: async (digest, bytes) => {
      const chunk: WrittenChunk = { digest, discard: async () => void written.delete(chunk) }
      written.set(chunk, Buffer.from(bytes))
      return chunk
    },
    publish: async (published) => {
      for (const chunk of published) {
        const bytes = written.get(chunk)
        if (bytes) chunks.set(chunk.digest, bytes)
        written.delete(chunk)
      }
    },
    read: async function* (digest) {
      const bytes = chunks.get(digest)
      if (bytes === undefined) throw new ChunkMissingError(`chunk ${digest} is missing`)
      if (bytes.byteLength > 0) yield bytes
    },
    remove: async (digest) => void chunks.delete(digest),
    close: async () => undefined,
  }
}
