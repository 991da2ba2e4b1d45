import { chunkBytes } from './chunk-store.js'

/** Memory for chunks on their way to the disk; it bounds what a store takes, however many save at a time. */
export interface BufferPool {
  /** A buffer for a chunk of a body with so many bytes to come. Waits until there is one. */
  take(byteLength: number): Promise<Buffer>
  giveBack(buffer: Buffer): void
}

/** A chunk, and the end of a piece that reaches into the next one. */
const bufferBytes = chunkBytes + 2 * 2 ** 20
/** Shorter bodies get memory of their own. */
const ownBytes = 256 * 1024

/** A pool of so many buffers, made when they are first needed and used again: fresh memory costs more than what is done with it. */
export function createBufferPool(count = 20): BufferPool {
  const free: Buffer[] = []
  const waiting: ((buffer: Buffer) => void)[] = []
  const ours = new Set<Buffer>()
  return {
    take: async (byteLength) => {
      if (byteLength <= ownBytes) return Buffer.allocUnsafeSlow(byteLength)
      const known = free.pop()
      if (known) return known
      if (ours.size === count) return await new Promise((resolve) => waiting.push(resolve))
      const fresh = Buffer.allocUnsafeSlow(bufferBytes)
      ours.add(fresh)
      return fresh
    },
    giveBack: (buffer) => {
      if (!ours.has(buffer)) return
      const next = waiting.shift()
      if (next) next(buffer)
      else free.push(buffer)
    },
  }
}
