import { createRequire } from 'node:module'
import { markAsUntransferable } from 'node:worker_threads'

type MapCopy = (fd: number, byteLength: number) => Uint8Array<ArrayBuffer> | undefined

/** `PROT_READ | PROT_WRITE` and `MAP_PRIVATE` of Linux: what is written goes to pages of this process. */
const readAndWrite = 3
const copyOnWrite = 2

let known: MapCopy | undefined

/**
 * The first bytes of a file as memory, which all who do so share as long as nobody writes to it; nothing where that cannot be.
 * The file must have so many bytes, and must never have fewer: to touch what it does not have ends the process. The memory
 * goes with the last view of it.
 */
export function mapCopy(fd: number, byteLength: number): Uint8Array<ArrayBuffer> | undefined {
  known ??= findMap()
  return known(fd, byteLength)
}

function findMap(): MapCopy {
  if (process.platform !== 'linux') return () => undefined
  try {
    const { load, view } = createRequire(import.meta.url)('koffi') as typeof import('koffi')
    const library = load('libc.so.6')
    const mmap = library.func(
      'intptr_t mmap(uintptr_t at, size_t length, int protection, int flags, int fd, int64_t offset)',
    )
    const munmap = library.func('int munmap(uintptr_t at, size_t length)')
    const left = new FinalizationRegistry<{ at: bigint; byteLength: number }>(({ at, byteLength }) => {
      munmap(at, byteLength)
    })
    return (fd, byteLength) => {
      const at = BigInt(mmap(0n, byteLength, readAndWrite, copyOnWrite, fd, 0n) as number | bigint)
      if (at === -1n) return undefined
      const buffer = view(at, byteLength)
      // Moved elsewhere it would outlive this buffer, and with it the memory.
      markAsUntransferable(buffer)
      left.register(buffer, { at, byteLength })
      return new Uint8Array(buffer)
    }
  } catch {
    return () => undefined
  }
}
