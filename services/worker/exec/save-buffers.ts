/** Shorter states are copied into memory of their own and handed over with it. */
const leastBytes = 256 * 1024
/** One is being saved, one waits to be, and one is filled meanwhile. */
const mostBuffers = 3
/** A task that saves so seldom may as well take fresh memory. */
const idleMs = 30_000

const free = 0
const lent = 1

/** Memory that the main side reads while the task goes on. */
export interface LentBytes {
  readonly bytes: Uint8Array
  /** What the main side gives the memory back with. */
  readonly lease: Int32Array
}

interface SaveBuffer {
  readonly memory: Uint8Array
  readonly lease: Int32Array
}

/**
 * Shared memory for states on their way to the main side, used again and again: a copy into fresh memory takes five times as long,
 * and a buffer that changes hands with each save has V8's garbage collection run on the main side all the time (measured: 30 ms of
 * processor for 16 MB, where all else takes 4).
 */
export class SaveBuffers {
  #buffers: SaveBuffer[] = []
  #idle: NodeJS.Timeout | undefined

  /** Memory for a state; nothing when it is short or the main side has all that there is. */
  take(byteLength: number): LentBytes | undefined {
    if (byteLength < leastBytes) return undefined
    const buffer = this.#find(byteLength) ?? this.#add(byteLength)
    if (buffer === undefined) return undefined
    Atomics.store(buffer.lease, 0, lent)
    // A task that does not give the loop back keeps what it has.
    if (this.#idle) this.#idle.refresh()
    else this.#idle = setTimeout(() => this.#dropFree(), idleMs).unref()
    return { bytes: buffer.memory.subarray(0, byteLength), lease: buffer.lease }
  }

  #find(byteLength: number): SaveBuffer | undefined {
    return this.#buffers.find((buffer) => isFree(buffer) && buffer.memory.byteLength >= byteLength)
  }

  #add(byteLength: number): SaveBuffer | undefined {
    // States mostly have one length: what was too short for this one will be for the next.
    this.#dropFree()
    if (this.#buffers.length >= mostBuffers) return undefined
    const memory = new Uint8Array(new SharedArrayBuffer(byteLength))
    const buffer = { memory, lease: new Int32Array(new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT)) }
    this.#buffers.push(buffer)
    return buffer
  }

  #dropFree(): void {
    this.#buffers = this.#buffers.filter((buffer) => !isFree(buffer))
  }
}

/** The main side has read what it was lent: the slot may write there again. */
export function giveBack({ lease }: { readonly lease?: Int32Array | undefined }): void {
  if (lease) Atomics.store(lease, 0, free)
}

function isFree({ lease }: SaveBuffer): boolean {
  return Atomics.load(lease, 0) === free
}
