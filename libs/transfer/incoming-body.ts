import { Status } from 'nice-grpc-common'

import type { LentMemory, SharedSlice, TransferChunk, TransferHeader, TransferReceipt } from '#libs/proto'
import { discardBuffer, takeFrame } from '#libs/rpc'

import { checksumOf, createDigester, type Digester } from './digest.js'
import type { Sink } from './endpoint.js'
import { slotBytes, windowBytes } from './limits.js'
import type { SharedMemory } from './shared-memory.js'
import { TransferError } from './transfer-error.js'

/** A body on its way into its sink: every chunk is checked before it is written, the whole before it is committed. */
export class IncomingBody {
  readonly byteLength: number
  readonly header: TransferHeader
  readonly #name: string
  readonly #sink: Sink
  readonly #digester: Digester
  #shared: SharedMemory
  #position = 0
  #ungranted = 0
  #isIntact = true
  #isLent = false

  constructor(name: string, header: TransferHeader, sink: Sink, shared: SharedMemory) {
    this.#shared = shared
    this.#name = name
    this.#sink = sink
    this.#digester = createDigester(header.digestAlgorithm)
    this.byteLength = Number(header.byteLength)
    this.header = header
  }

  /** How many bytes are in the sink. */
  get position(): number {
    return this.#position
  }

  /** Whether what has come can be added to: no write has failed. */
  get isIntact(): boolean {
    return this.#isIntact
  }

  /** Another stream brings the rest, with credit and shared memory of its own. */
  resume(shared: SharedMemory): void {
    this.#shared = shared
    this.#ungranted = 0
  }

  /** Where a sender on this host may write what is still to come. */
  lend(): LentMemory | undefined {
    const lent = this.#shared.lend((token) => this.#sink.lend?.(token))
    this.#isLent ||= lent !== undefined
    return lent
  }

  /** Takes the chunk's memory over: it is freed once the sink has the bytes. */
  async take(chunk: TransferChunk): Promise<void> {
    const { offset, crc32c, shared } = chunk
    const byteLength = lengthOf(chunk)
    if (Number(offset) !== this.#position || this.#position + byteLength > this.byteLength) {
      throw new TransferError(
        Status.INVALID_ARGUMENT,
        'CHUNK_OUT_OF_ORDER',
        `${this.#name}: a chunk of ${byteLength} bytes at ${offset}, where the one at ${this.#position} of ` +
          `${this.byteLength} was due`,
      )
    }
    if (shared && byteLength > slotBytes) {
      const message = `${this.#name}: a chunk of ${byteLength} bytes in a slot of ${slotBytes}`
      throw new TransferError(Status.INVALID_ARGUMENT, 'CHUNK_TOO_LARGE', message)
    }
    if (shared === undefined && checksumOf(chunk.data) !== crc32c) {
      throw new TransferError(
        Status.DATA_LOSS,
        'CHUNK_CORRUPT',
        `${this.#name}: the chunk at ${offset} is not what was sent (CRC-32C differs)`,
      )
    }
    this.#isIntact = false
    const data = shared ? this.#readShared(shared) : chunk.data
    if (shared === undefined) this.#digester.update(data)
    const written = this.#sink.write(data)
    if (written !== undefined) await written
    // Not the sink's own memory.
    const isOurs = shared === undefined || this.#sink.place === undefined
    if (isOurs && !this.#sink.adoptsMemory) discardBuffer(data)
    this.#isIntact = true
    this.#position += byteLength
    this.#ungranted += byteLength
  }

  #readShared(slice: SharedSlice): Uint8Array {
    if (slice.isLent) return this.#readLent(slice)
    const place = this.#sink.place?.(slice.byteLength) ?? takeFrame(slice.byteLength)
    this.#shared.read(slice, place, (piece) => this.#digester.update(piece))
    return place
  }

  /** What the sender has written there itself: from now on it may not, and what lies there is what is digested. */
  #readLent({ byteLength }: SharedSlice): Uint8Array {
    const written = this.#isLent ? this.#sink.place?.(byteLength) : undefined
    if (written === undefined) {
      const message = `${this.#name}: a chunk lies in memory that was not lent`
      throw new TransferError(Status.INVALID_ARGUMENT, 'NOT_LENT', message)
    }
    this.#digester.update(written)
    return written
  }

  /** The credit to give back now; in quarters of the window, so that it costs few frames. */
  takeGrant(): number {
    if (this.#ungranted < windowBytes / 4) return 0
    const grant = this.#ungranted
    this.#ungranted = 0
    return grant
  }

  async commit(digest: Buffer): Promise<TransferReceipt> {
    this.#isIntact = false
    if (this.#position !== this.byteLength) {
      const message = `${this.#name}: ${this.#position} of ${this.byteLength} announced bytes came`
      throw new TransferError(Status.INVALID_ARGUMENT, 'BODY_TRUNCATED', message)
    }
    const own = this.#digester.digest()
    if (!own.equals(digest)) {
      const message = `${this.#name}: the digest of what came is ${own.toString('hex')}, not ${digest.toString('hex')}`
      throw new TransferError(Status.DATA_LOSS, 'DIGEST_MISMATCH', message)
    }
    return await this.#sink.commit(own)
  }

  abort(): void {
    this.#sink.abort()
  }
}

/** How much of the body a chunk is, wherever it lies. */
export function lengthOf({ data, shared }: TransferChunk): number {
  return shared?.byteLength ?? data.byteLength
}
