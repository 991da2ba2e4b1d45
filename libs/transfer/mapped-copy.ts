import { markAsUntransferable } from 'node:worker_threads'

import { findLibC } from '#libs/memory'

const left = new FinalizationRegistry((unmap: () => void) => unmap())

/**
 * The first bytes of a file as memory, which all who do so share as long as nobody writes to it; nothing where that cannot be.
 * The file must have so many bytes, and must never have fewer: to touch what it does not have ends the process. The memory
 * goes with the last view of it.
 */
export function mapCopy(fd: number, byteLength: number): Uint8Array<ArrayBuffer> | undefined {
  const mapped = findLibC()?.map(fd, byteLength, 'toOwnPages')
  if (mapped === undefined) return undefined
  const { bytes, unmap } = mapped
  // Moved elsewhere it would outlive this buffer, and with it the memory.
  markAsUntransferable(bytes.buffer)
  left.register(bytes.buffer, unmap)
  return bytes
}
