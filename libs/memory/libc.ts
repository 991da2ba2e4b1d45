import { createRequire } from 'node:module'

/** What of the C library Node has no call for; addresses and lengths in bytes. */
export interface LibC {
  /** Where the view's memory starts. */
  address(bytes: Uint8Array): bigint
  /** `madvise`; a refusal changes nothing. */
  advise(at: bigint, byteLength: bigint, advice: number): void
  /** Has the system find and clear the pages of this memory, in another thread; a refusal changes nothing. */
  populate(bytes: Uint8Array, then: () => void): void
  /** A file's first bytes as memory; nothing when the system refuses. */
  map(fd: number, byteLength: number, writes: keyof typeof mapFlags): MappedMemory | undefined
  /** The same, only where it lies. */
  mapFile(fd: number, byteLength: number, writes: keyof typeof mapFlags): bigint | undefined
  /** Where fresh memory of its own starts, at a page; nothing when the system refuses. */
  mapFresh(byteLength: number): bigint | undefined
  /** Nobody may touch the memory from now on. */
  unmap(at: bigint, byteLength: number): void
  /** Memory as a file without a folder, of that name for who looks; its descriptor, or nothing when the system refuses. */
  createSealable(name: string): number | undefined
  /** Nobody can write to the file, or make it longer or shorter, from now on; false when the system refuses. */
  seal(fd: number): boolean
  isSealed(fd: number): boolean
  /** Copies the bytes there. */
  copy(bytes: Uint8Array, to: bigint): void
  /** Copies the bytes into the memory of a process of this user; false when not all could be, as where the system does not allow it. */
  writeTo(processId: number, at: bigint, bytes: Uint8Array): boolean
  /** The same the other way. */
  readFrom(processId: number, at: bigint, into: Uint8Array): boolean
  /** Nothing lies there from now on, and nothing new comes to lie there before it is unmapped: whoever touches it fails. */
  bar(at: bigint, byteLength: number): void
  /**
   * What is allocated from this length on goes back to the system when it is freed. `malloc` learns from such lengths to keep them, in a
   * heap that one small piece at its end keeps from shrinking.
   */
  giveBackFrom(byteLength: number): void
  /** What lies there, as a buffer that frees nothing when it goes. */
  view(at: bigint, byteLength: number): ArrayBuffer
}

/** Memory that is a file's. Bytes that the file does not have must not be touched: that ends the process. */
export interface MappedMemory {
  readonly bytes: Uint8Array<ArrayBuffer>
  /** Nobody may touch the bytes from now on. */
  readonly unmap: () => void
}

/** `PROT_READ | PROT_WRITE` of Linux. */
const readAndWrite = 3
/** `M_MMAP_THRESHOLD` of glibc. */
const mmapThreshold = -3
/** `PROT_NONE`, and `MAP_PRIVATE | MAP_FIXED | MAP_ANONYMOUS | MAP_NORESERVE`. */
const noAccess = 0
const inItsPlace = 0x4032
/** Where what is written goes: to the file (`MAP_SHARED`), or to pages of this process (`MAP_PRIVATE`). */
const mapFlags = { toFile: 1, toOwnPages: 2 } as const
/** `MFD_CLOEXEC | MFD_ALLOW_SEALING`. */
const sealable = 3
/** Commands of `fcntl`. */
const addSeals = 1033
const getSeals = 1034
/** `F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE`. */
const allSeals = 15
/** `MAP_PRIVATE | MAP_ANONYMOUS`. */
const ownAndFresh = 0x22
/** `MADV_POPULATE_WRITE` of Linux, from 5.14 on. */
const populateToWrite = 23
const pageBytes = 4096n
let known: { readonly libc: LibC | undefined } | undefined

/** Found once, when it is first asked for; nothing where it cannot be called: another system, or no koffi for this one. */
export function findLibC(): LibC | undefined {
  known ??= { libc: process.platform === 'linux' ? loadLibC() : undefined }
  return known.libc
}

function loadLibC(): LibC | undefined {
  try {
    const { address, load, view } = createRequire(import.meta.url)('koffi') as typeof import('koffi')
    const library = load('libc.so.6')
    const madvise = library.func('int madvise(uintptr_t address, size_t length, int advice)')
    const mmap = library.func(
      'intptr_t mmap(uintptr_t address, size_t length, int protection, int flags, int fd, int64_t offset)',
    )
    const munmap = library.func('int munmap(uintptr_t address, size_t length)')
    const memcpy = library.func('void *memcpy(uintptr_t to, const void *from, size_t length)')
    const mallopt = library.func('int mallopt(int parameter, int value)')
    const memfdCreate = library.func('int memfd_create(const char *name, unsigned int flags)')
    const fcntl = library.func('int fcntl(int fd, int command, int seals)')
    const transfer =
      'int64_t %(int process, const void *own, ulong ownCount, const void *theirs, ulong theirsCount, ulong flags)'
    const writev = library.func(transfer.replace('%', 'process_vm_writev'))
    const readv = library.func(transfer.replace('%', 'process_vm_readv'))
    const moves = (how: typeof writev, processId: number, bytes: Uint8Array, at: bigint): boolean => {
      const byteLength = BigInt(bytes.byteLength)
      const own = BigUint64Array.of(address(bytes), byteLength)
      const moved = how(processId, own, 1, BigUint64Array.of(at, byteLength), 1, 0) as number | bigint
      return BigInt(moved) === byteLength
    }
    const map = (byteLength: number, flags: number, fd: number): bigint | undefined => {
      const at = BigInt(mmap(0n, byteLength, readAndWrite, flags, fd, 0n) as number | bigint)
      return at === -1n ? undefined : at
    }
    return {
      address,
      advise: (at, byteLength, advice) => void madvise(at, byteLength, advice),
      populate: (bytes, then) => {
        const at = address(bytes)
        const start = (at / pageBytes) * pageBytes
        madvise.async(start, at + BigInt(bytes.byteLength) - start, populateToWrite, then)
      },
      map: (fd, byteLength, writes) => {
        const at = map(byteLength, mapFlags[writes], fd)
        if (at === undefined) return undefined
        return { bytes: new Uint8Array(view(at, byteLength)), unmap: () => void munmap(at, byteLength) }
      },
      mapFile: (fd, byteLength, writes) => map(byteLength, mapFlags[writes], fd),
      mapFresh: (byteLength) => map(byteLength, ownAndFresh, -1),
      unmap: (at, byteLength) => void munmap(at, byteLength),
      createSealable: (name) => {
        const fd = memfdCreate(name, sealable) as number
        return fd < 0 ? undefined : fd
      },
      seal: (fd) => fcntl(fd, addSeals, allSeals) === 0,
      isSealed: (fd) => fcntl(fd, getSeals, 0) === allSeals,
      writeTo: (processId, at, bytes) => moves(writev, processId, bytes, at),
      readFrom: (processId, at, into) => moves(readv, processId, into, at),
      bar: (at, byteLength) => void mmap(at, byteLength, noAccess, inItsPlace, -1, 0n),
      giveBackFrom: (byteLength) => void mallopt(mmapThreshold, byteLength),
      copy: (bytes, to) => void memcpy(to, bytes, bytes.byteLength),
      view,
    }
  } catch {
    return undefined
  }
}
