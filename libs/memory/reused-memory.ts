import { markAsUntransferable } from 'node:worker_threads'

import { isSegmented } from './bytes.js'
import { adviseHugePages, hugePageBytes } from './huge-pages.js'
import { findLibC, type LibC } from './libc.js'

/** Shorter bodies take memory of the garbage collector's: V8 and the C library use that again by themselves. */
const leastBytes = 4 * 2 ** 20
/** What is taken again may be longer than what is wanted by this factor, not more. */
const mostSlack = 1.25
/**
 * Addresses that are nobody's for ever cost nothing, and a process has 128 TiB of them. No time is long enough: who was stopped between two
 * pieces, as by Ctrl-Z, goes on hours later.
 */
const mostBarredBytes = 2 ** 38
/** The system keeps a process to 65,530 mappings. */
const mostBarredAreas = 4_096
/** After so long who has got a body has done what he was waiting to do. */
const prepareMs = 50

/** Where memory of our own lies, and how long it is. */
export interface Area {
  readonly at: bigint
  readonly byteLength: number
}

/** Memory that is nobody's, until it is taken again. */
interface IdleArea extends Area {
  readonly leftAtMs: number
  /** How much of it was wanted last: the next one mostly wants as much. */
  readonly wantedBytes: number
  /** Its buffer for that, when it was made ahead. */
  buffer: ArrayBuffer | undefined
}

/** Memory of which others get a buffer when they ask for it, and not before: V8 marks its heap for each large one that comes to be. */
export interface UnseenMemory {
  readonly byteLength: number
  /** Whether it was used before. */
  readonly isWarm: boolean
  /** A buffer for others, from the first time on that somebody asks. The memory then goes with the last view of it. Throws when it was given back. */
  readonly bytes: Uint8Array<ArrayBuffer>
  /** For its keeper alone, who writes there what is to lie there. Throws when it was given back. */
  readonly own: Uint8Array<ArrayBuffer>
  /** Where it lies, for another process that is to write there. */
  readonly at: bigint
  /** Nobody will ask who has not asked yet: where nobody did, the memory is the next one's. */
  close(): void
  /** The same where another process may still write there: it is nobody's any more. */
  bar(): void
}

/** How much is kept for those who come next, and how long. */
export interface ReuseLimits {
  readonly mostIdleBytes: number
  readonly idleMs: number
}

/**
 * Memory for large bodies that is used again once nobody has a view of it. Where the pages of such memory are found anew for each body
 * that costs ten times what copying into it does: 0.1 to 2 s for a gigabyte, the last in a virtual machine whose host must find them, too.
 */
export class ReusedMemory {
  readonly #libc: LibC
  readonly #now: () => number
  #limits: ReuseLimits
  /** Left last is last. */
  #idle: IdleArea[] = []
  #idleBytes = 0
  #timer: NodeJS.Timeout | undefined
  #preparing: NodeJS.Timeout | undefined
  /** Views of areas that are kept as long as these are mapped. */
  readonly #ownViews = new Map<bigint, ArrayBuffer>()
  /** Where others may still write: not used again when it comes back. */
  readonly #barred = new Set<bigint>()
  /** What came back of these, oldest first. */
  readonly #walls: Area[] = []
  #wallBytes = 0
  readonly #left = new FinalizationRegistry<Area & Pick<IdleArea, 'wantedBytes'>>((area) => this.#takeBack(area))

  constructor(libc: LibC, limits: ReuseLimits, now: () => number = () => performance.now()) {
    this.#libc = libc
    this.#limits = limits
    this.#now = now
  }

  /** Memory that nobody uses, which was used before. */
  get idleBytes(): number {
    return this.#idleBytes
  }

  /** Whether who comes next finds his buffer made. */
  get isPrepared(): boolean {
    return this.#idle.some(({ buffer }) => buffer !== undefined)
  }

  /** Whether this process has no memory to spare. */
  get isSaving(): boolean {
    return this.#limits.mostIdleBytes <= 0
  }

  /** From now on; what is more than that goes at once. */
  limit(limits: ReuseLimits): void {
    this.#limits = limits
    this.#trim()
  }

  /** Gives all back that nobody uses now. */
  drop(): void {
    while (this.#idle.length > 0) this.#dropOldest()
  }

  /**
   * So much memory, with whatever lay there before, and whether it has its pages already. It cannot be moved to another thread. Nothing
   * when so little is wanted that it is not worth it, or the system refuses.
   */
  take(byteLength: number): { readonly bytes: Uint8Array<ArrayBuffer>; readonly isWarm: boolean } | undefined {
    if (!canReuse(byteLength)) return undefined
    const known = this.#takeIdle(byteLength, byteLength)
    const area = known ?? mapArea(this.#libc, byteLength)
    if (area === undefined) return undefined
    const ready = known?.buffer?.byteLength === byteLength ? known.buffer : undefined
    return { bytes: this.watch(area, byteLength, ready), isWarm: known !== undefined }
  }

  /** The same as memory that is seen when somebody asks. Who closes it unseen leaves it to the next one at once. */
  takeUnseen(byteLength: number): UnseenMemory | undefined {
    if (!canReuse(byteLength)) return undefined
    const known = this.#takeIdle(byteLength, byteLength, true)
    const area = known ?? mapArea(this.#libc, byteLength)
    if (area === undefined) return undefined
    let bytes: Uint8Array<ArrayBuffer> | undefined
    let isOpen = true
    const checkOpen = (): void => {
      if (!isOpen) throw new Error(`memory of ${byteLength} bytes was given back before anybody looked at it`)
    }
    const watch = (): Uint8Array<ArrayBuffer> => {
      checkOpen()
      return this.watch(area, byteLength, known?.buffer?.byteLength === byteLength ? known.buffer : undefined)
    }
    const close = (): void => {
      if (isOpen && bytes === undefined) this.giveBack(area)
      isOpen = false
    }
    const own = (): Uint8Array<ArrayBuffer> => {
      checkOpen()
      return this.#ownView(area, byteLength)
    }
    return {
      byteLength,
      isWarm: known !== undefined,
      get bytes() {
        return (bytes ??= watch())
      },
      get own() {
        return own()
      },
      at: area.at,
      close,
      bar: () => {
        if (isOpen) this.#barred.add(area.at)
        close()
      },
    }
  }

  #ownView({ at, byteLength }: Area, wantedBytes: number): Uint8Array<ArrayBuffer> {
    let buffer = this.#ownViews.get(at)
    if (buffer === undefined) {
      buffer = this.#libc.view(at, byteLength)
      markAsUntransferable(buffer)
      this.#ownViews.set(at, buffer)
    }
    return new Uint8Array(buffer, 0, wantedBytes)
  }

  /** The same for who counts himself whether anybody has it: it is his until he gives it back, or has it watched. */
  takeArea(byteLength: number): Area | undefined {
    if (!canReuse(byteLength)) return undefined
    return this.#takeIdle(byteLength) ?? mapArea(this.#libc, byteLength)
  }

  /** The same, but only what was used before. */
  takeIdleArea(byteLength: number): Area | undefined {
    return this.#takeIdle(byteLength)
  }

  /** The first bytes of an area, which is given back by itself when nobody has a view of them. `ready` is a buffer of them that was made ahead. */
  watch({ at, byteLength }: Area, wantedBytes: number, ready?: ArrayBuffer): Uint8Array<ArrayBuffer> {
    const buffer = ready ?? this.#libc.view(at, wantedBytes)
    // Moved elsewhere it would outlive this buffer, and somebody else would write there.
    markAsUntransferable(buffer)
    this.#left.register(buffer, { at, byteLength, wantedBytes })
    return new Uint8Array(buffer)
  }

  /** Nobody has it any more. */
  giveBack({ at, byteLength }: Area): void {
    this.#takeBack({ at, byteLength, wantedBytes: byteLength })
  }

  /**
   * Makes the buffer for who comes next, in a moment: V8 marks its heap whenever a large one is made (measured: 14 ms of this thread and 25
   * of others), which then does not happen while the next body comes. It finds by that what nobody has any more.
   */
  prepare(): void {
    this.#preparing ??= setTimeout(() => {
      this.#preparing = undefined
      const next = this.#idle.at(-1)
      // What has a view of our own is mostly for who needs no other.
      if (next && !this.isPrepared && !this.#ownViews.has(next.at))
        next.buffer = this.#libc.view(next.at, next.wantedBytes)
    }, prepareMs).unref()
  }

  /** Rather one whose buffer is made for so many bytes, or that has a view of our own; who needs none leaves such a one to others. */
  #takeIdle(byteLength: number, bufferBytes?: number, isUnseen = false): IdleArea | undefined {
    let best: IdleArea | undefined
    for (const area of this.#idle) {
      if (area.byteLength < byteLength || area.byteLength > byteLength * mostSlack + Number(hugePageBytes)) continue
      const hasOwnView = this.#ownViews.has(area.at)
      const isReady = isUnseen ? hasOwnView : !hasOwnView && area.buffer?.byteLength === bufferBytes
      if (best === undefined || isReady || area.byteLength < best.byteLength) best = area
      if (isReady) break
    }
    if (best === undefined) return undefined
    this.#idle.splice(this.#idle.indexOf(best), 1)
    this.#idleBytes -= best.byteLength
    return best
  }

  #takeBack(area: Area & Pick<IdleArea, 'wantedBytes'>): void {
    if (this.#barred.delete(area.at)) {
      this.#bar(area)
      return
    }
    this.#idle.push({ ...area, leftAtMs: this.#now(), buffer: undefined })
    this.#idleBytes += area.byteLength
    this.#trim()
    this.prepare()
  }

  /** Its pages go at once; its addresses stay nobody's, until there are very many of them. */
  #bar({ at, byteLength }: Area): void {
    this.#ownViews.delete(at)
    this.#libc.bar(at, byteLength)
    this.#walls.push({ at, byteLength })
    this.#wallBytes += byteLength
    while (this.#wallBytes > mostBarredBytes || this.#walls.length > mostBarredAreas) {
      const oldest = this.#walls.shift() as Area
      this.#wallBytes -= oldest.byteLength
      this.#libc.unmap(oldest.at, oldest.byteLength)
    }
  }

  #trim(): void {
    const oldestMs = this.#now() - this.#limits.idleMs
    const isTooMuch = (): boolean => this.#idleBytes > this.#limits.mostIdleBytes
    while (this.#idle[0] && (isTooMuch() || this.#idle[0].leftAtMs <= oldestMs)) this.#dropOldest()
    clearTimeout(this.#timer)
    const [oldest] = this.#idle
    if (oldest) this.#timer = setTimeout(() => this.#trim(), oldest.leftAtMs - oldestMs + 1).unref()
  }

  #dropOldest(): void {
    const area = this.#idle.shift()
    if (area === undefined) return
    this.#idleBytes -= area.byteLength
    this.#ownViews.delete(area.at)
    this.#libc.unmap(area.at, area.byteLength)
  }
}

/** Of more than a segment no buffer can be made of memory of our own: Node ends the process that tries. */
function canReuse(byteLength: number): boolean {
  return byteLength >= leastBytes && !isSegmented({ byteLength })
}

/** Fresh memory, in huge pages where there are such; nothing when the system refuses. */
export function mapArea(libc: LibC, byteLength: number): Area | undefined {
  const rounded = Math.ceil(byteLength / Number(hugePageBytes)) * Number(hugePageBytes)
  const at = libc.mapFresh(rounded)
  if (at === undefined) return undefined
  adviseHugePages(libc, at, rounded)
  return { at, byteLength: rounded }
}

/** What a program that says nothing keeps. */
const usualLimits: ReuseLimits = { mostIdleBytes: 2 ** 29, idleMs: 10_000 }
let known: { readonly memory: ReusedMemory | undefined } | undefined

/** That of this process; nothing where the C library cannot be called. */
export function findReusedMemory(): ReusedMemory | undefined {
  if (known === undefined) {
    const libc = findLibC()
    known = { memory: libc && new ReusedMemory(libc, usualLimits) }
  }
  return known.memory
}
