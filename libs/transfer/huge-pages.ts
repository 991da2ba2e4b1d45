import { createRequire } from 'node:module'

/** From here on the pages of a buffer are worth asking about. */
const leastBytes = 4 * 2 ** 20
const hugePageBytes = 2n ** 21n
/** `MADV_HUGEPAGE` of Linux. */
const wantsHugePages = 14

type Advise = (bytes: Uint8Array) => void

let advise: Advise | undefined

/**
 * Zeroed memory for a large body. Where the system gives huge pages to those who ask for them, it asks: 256 MB of pages of 4 KiB are
 * found and cleared in 0.25 s, of 2 MiB in 0.1 s.
 */
export function allocateLarge(byteLength: number): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(byteLength)
  if (byteLength >= leastBytes) {
    advise ??= findAdvice()
    advise(bytes)
  }
  return bytes
}

/** Our services have the C library ask for them; who imports the SDK was started without. */
function findAdvice(): Advise {
  const isAsked = process.env['GLIBC_TUNABLES']?.includes('glibc.malloc.hugetlb=1')
  if (process.platform !== 'linux' || isAsked) return () => undefined
  try {
    const { address, load } = createRequire(import.meta.url)('koffi') as typeof import('koffi')
    const madvise = load('libc.so.6').func('int madvise(uintptr_t address, size_t length, int advice)')
    return (bytes) => {
      const start = roundUp(address(bytes))
      const end = address(bytes) + BigInt(bytes.byteLength)
      // The rest of the last page may be somebody else's. A refusal leaves the pages as they are.
      if (end > start) madvise(start, ((end - start) / hugePageBytes) * hugePageBytes, wantsHugePages)
    }
  } catch {
    return () => undefined
  }
}

function roundUp(at: bigint): bigint {
  return ((at + hugePageBytes - 1n) / hugePageBytes) * hugePageBytes
}
