import { markAsUntransferable } from 'node:worker_threads'

import { findLibC, isSegmented, type LibC } from '#libs/memory'

const left = new FinalizationRegistry((unmap: () => void) => unmap())

/**
 * The first bytes of a file as memory, which all who map them share as long as nobody writes to it. The file must have so many bytes, and
 * must never have fewer: to touch what it does not have ends the process.
 */
export interface MappedCopy {
  readonly byteLength: number
  /**
   * A buffer of them, from the first time on that somebody asks: V8 marks its heap whenever buffers of 64 MB came to be, and many objects are
   * never looked at. The memory then goes with the last view of it.
   *
   * @throws Error when it was given up before anybody asked.
   */
  readonly bytes: Uint8Array<ArrayBuffer>
  /** Nobody will ask who has not asked yet. */
  close(): void
}

/** Maps a file; nothing where that cannot be, or where it has more than a segment: of so much of our own memory Node makes no buffer. */
export function mapCopy(fd: number, byteLength: number): MappedCopy | undefined {
  const libc = isSegmented({ byteLength }) ? undefined : findLibC()
  const at = libc?.mapFile(fd, byteLength, 'toOwnPages')
  return libc && at !== undefined ? copyAt(libc, at, byteLength) : undefined
}

function copyAt(libc: LibC, at: bigint, byteLength: number): MappedCopy {
  let bytes: Uint8Array<ArrayBuffer> | undefined
  let isOpen = true
  const view = (): Uint8Array<ArrayBuffer> => {
    if (!isOpen) throw new Error('what was mapped was given up before anybody looked at it')
    const buffer = libc.view(at, byteLength)
    // Moved elsewhere it would outlive this buffer, and with it the memory.
    markAsUntransferable(buffer)
    left.register(buffer, () => libc.unmap(at, byteLength))
    return new Uint8Array(buffer)
  }
  return {
    byteLength,
    get bytes() {
      return (bytes ??= view())
    },
    close: () => {
      if (isOpen && bytes === undefined) libc.unmap(at, byteLength)
      isOpen = false
    },
  }
}
