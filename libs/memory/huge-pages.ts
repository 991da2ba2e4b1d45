import { type Bytes, bytesOf, isSegmented, partOf } from './bytes.js'
import { findLibC, type LibC } from './libc.js'

/** From here on the pages of a buffer are worth asking about. */
const leastBytes = 4 * 2 ** 20
export const hugePageBytes = 2n ** 21n
/** `MADV_HUGEPAGE` of Linux. */
const wantsHugePages = 14

/**
 * Zeroed memory for a large body. Where the system gives huge pages to those who ask for them, it asks: 256 MB of pages of 4 KiB are
 * found and cleared in 0.25 s, of 2 MiB in 0.1 s.
 */
export function allocateLarge(byteLength: number): Bytes<ArrayBuffer> {
  const isSeen = isSharing && isSegmented({ byteLength })
  const bytes = isSegmented({ byteLength }) ? bytesOf(bufferOf(byteLength, isSeen)) : new Uint8Array(byteLength)
  // Our services have the C library ask for them; who imports the SDK was started without.
  const isAsked = (): boolean => process.env['GLIBC_TUNABLES']?.includes('glibc.malloc.hugetlb=1') ?? false
  const libc = byteLength >= leastBytes && (isSeen || !isAsked()) ? findLibC() : undefined
  if (libc) adviseHugePages(libc, libc.address(partOf(bytes, 0, 1)), byteLength)
  return bytes
}

function bufferOf(byteLength: number, isShared: boolean): ArrayBuffer {
  return isShared ? (new SharedArrayBuffer(byteLength) as unknown as ArrayBuffer) : new ArrayBuffer(byteLength)
}

let isSharing = false

/** From now on all threads of this process see what is longer than a segment: V8 can neither copy nor describe it in a message to one. */
export function shareSegmented(): void {
  isSharing = true
}

/** Asks for huge pages for all of this memory that can have them. */
export function adviseHugePages(libc: LibC, at: bigint, byteLength: number): void {
  const start = roundUp(at)
  const end = at + BigInt(byteLength)
  // The rest of the last page may be somebody else's.
  if (end > start) libc.advise(start, ((end - start) / hugePageBytes) * hugePageBytes, wantsHugePages)
}

function roundUp(at: bigint): bigint {
  return ((at + hugePageBytes - 1n) / hugePageBytes) * hugePageBytes
}
