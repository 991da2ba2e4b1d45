import { discardBuffer } from '#libs/rpc'

/** Shorter bodies come from memory that the allocator keeps warm itself. */
const leastBytes = 2 ** 20

/** How much is kept, and for how long when nobody takes it. */
export interface WarmMemoryLimits {
  readonly mostBytes: number
  readonly idleMs: number
}

/**
 * Memory of bodies that are over, for the next ones of the same length. The system finds and clears fresh pages at 0.2 to 1 GB/s,
 * which is most of what a large body costs its receiver; into pages that were used before, it is read at the speed of copying.
 *
 * What is given is taken away from whoever still has a view of it: such a view is empty from then on, and never shows what comes
 * into the memory later.
 */
export class WarmMemory {
  readonly #limits: WarmMemoryLimits
  /** Oldest first. */
  readonly #free = new Set<ArrayBuffer>()
  readonly #readers = new WeakMap<ArrayBuffer, number>()
  #byteLength = 0
  #timer: NodeJS.Timeout | undefined

  constructor(limits: WarmMemoryLimits) {
    this.#limits = limits
  }

  /** How many bytes wait for somebody who needs so many. */
  get byteLength(): number {
    return this.#byteLength
  }

  /** Memory of exactly this length, with whatever lay there before; nothing when there is none. */
  take(byteLength: number): Uint8Array<ArrayBuffer> | undefined {
    for (const buffer of this.#free) {
      if (buffer.byteLength === byteLength) {
        this.#drop(buffer)
        return new Uint8Array(buffer)
      }
    }
    return undefined
  }

  /** Somebody reads these bytes, and goes on when their owner has given them: they are left to the garbage collector then. */
  hold(bytes: Uint8Array<ArrayBuffer>): void {
    this.#readers.set(bytes.buffer, (this.#readers.get(bytes.buffer) ?? 0) + 1)
  }

  /** He has read them. */
  leave(bytes: Uint8Array<ArrayBuffer>): void {
    this.#readers.set(bytes.buffer, (this.#readers.get(bytes.buffer) ?? 1) - 1)
  }

  /** Takes bytes over that their owner needs no more. */
  give(bytes: Uint8Array<ArrayBuffer>): void {
    const { buffer, byteLength } = bytes
    const isWhole = byteLength === buffer.byteLength
    if (byteLength < leastBytes || !isWhole || (this.#readers.get(buffer) ?? 0) > 0) return
    if (byteLength > this.#limits.mostBytes) {
      discardBuffer(bytes)
      return
    }
    // A new object for the same memory; the old one, with all its views, is empty.
    this.#free.add(structuredClone(buffer, { transfer: [buffer] }))
    this.#byteLength += byteLength
    for (const oldest of this.#free) {
      if (this.#byteLength <= this.#limits.mostBytes) break
      this.#discard(oldest)
    }
    this.#timer?.refresh()
    this.#timer ??= setTimeout(() => this.clear(), this.#limits.idleMs).unref()
  }

  /** Gives everything back to the system. */
  clear(): void {
    for (const buffer of this.#free) this.#discard(buffer)
  }

  #discard(buffer: ArrayBuffer): void {
    this.#drop(buffer)
    discardBuffer(new Uint8Array(buffer))
  }

  #drop(buffer: ArrayBuffer): void {
    this.#free.delete(buffer)
    this.#byteLength -= buffer.byteLength
  }
}
