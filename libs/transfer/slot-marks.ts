/** Which ends mark what they do. */
const writerIsHere = 0
const readerIsHere = 1
/** How often each slot was written, and read; each end writes to cache lines of its own. */
const firstWritten = 32
const firstRead = 64
/** What the reader is known by. */
const firstOfToken = 128
/** How long that is, bytes: nobody else has the same anywhere. */
export const tokenBytes = 32

/**
 * Marks beside the slots of shared memory, which both ends see at once: how often each slot was written and how often it was read. A frame
 * that says so comes through two event loops and the system, and each end would wait for it most of the time.
 */
export class SlotMarks {
  readonly #marks: Int32Array

  constructor(marks: Int32Array) {
    this.#marks = marks
  }

  /** From now on this end marks what it writes. */
  beginToWrite(): void {
    Atomics.store(this.#marks, writerIsHere, 1)
  }

  /** From now on this end marks what it reads; by the token the writer knows it elsewhere. */
  beginToRead(token?: Uint8Array): void {
    if (token) this.#token().set(token)
    Atomics.store(this.#marks, readerIsHere, 1)
  }

  /** Whether who reads here has this token: nobody could write it here but a process of this user and host. */
  isReaders(token: Uint8Array): boolean {
    return this.hasReader && token.byteLength === tokenBytes && this.#token().every((byte, k) => byte === token[k])
  }

  #token(): Uint8Array {
    return new Uint8Array(
      this.#marks.buffer,
      this.#marks.byteOffset + firstOfToken * this.#marks.BYTES_PER_ELEMENT,
      tokenBytes,
    )
  }

  get hasWriter(): boolean {
    return Atomics.load(this.#marks, writerIsHere) === 1
  }

  get hasReader(): boolean {
    return Atomics.load(this.#marks, readerIsHere) === 1
  }

  /** What was written before is seen by who sees this. */
  noteWritten(slot: number): void {
    Atomics.add(this.#marks, firstWritten + slot, 1)
  }

  noteRead(slot: number): void {
    Atomics.add(this.#marks, firstRead + slot, 1)
  }

  /** Whether something lies in the slot that was not read. They are counted in 32 bits and come round. */
  isUnread(slot: number): boolean {
    const written = Atomics.load(this.#marks, firstWritten + slot)
    const read = Atomics.load(this.#marks, firstRead + slot)
    return ((written - read) | 0) > 0
  }
}
