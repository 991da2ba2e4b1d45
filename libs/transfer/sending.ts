import { Status } from 'nice-grpc-common'

import type { TransferFrame, TransferReceipt } from '#libs/proto'

import { checksumOf, createDigester } from './digest.js'
import type { Source } from './endpoint.js'
import type { FrameMessage } from './frame-codec.js'
import { chunkBytes, initialCreditBytes } from './limits.js'
import type { Outbox } from './outbox.js'
import { errorOf, TransferError } from './transfer-error.js'

/** The sending half of one transfer: header, chunks within the credit, commit; then waits for the receipt. */
export class Sending {
  readonly #transferId: number
  readonly #name: string
  readonly #outbox: Outbox<FrameMessage>
  readonly #outcome: Promise<TransferReceipt | undefined>
  #settle!: { resolve: (receipt: TransferReceipt | undefined) => void; reject: (error: Error) => void }
  #credit = initialCreditBytes
  #wake: (() => void) | undefined
  #over = false
  #committed = false
  #deaf = false
  #peerGaveUp = false

  /** `name` is what is moved, for messages. */
  constructor(transferId: number, name: string, outbox: Outbox<FrameMessage>) {
    this.#transferId = transferId
    this.#name = name
    this.#outbox = outbox
    this.#outcome = new Promise((resolve, reject) => (this.#settle = { resolve, reject }))
    // It may settle while the source is still being opened.
    this.#outcome.catch(() => undefined)
  }

  /** Whether the other end ended the transfer, so that it need not be told. */
  get peerGaveUp(): boolean {
    return this.#peerGaveUp
  }

  /**
   * Sends what `open` gives from `offset` on, and closes it when the transfer is over. Resolves with the receipt, or
   * nothing when the other end has left without giving one.
   *
   * @throws TransferError as the other end gave it up; OUT_OF_RANGE for an offset behind the end; DATA_LOSS for a source
   * that does not have the announced bytes; and whatever the source throws.
   */
  async send(open: () => Source | Promise<Source>, offset: number): Promise<TransferReceipt | undefined> {
    const source = await open()
    try {
      if (!this.#over) {
        // Who gives up does not wait for a source that hangs.
        await Promise.race([this.#sendAll(source, offset), this.#outcome])
      }
      return await this.#outcome
    } finally {
      this.#stop()
      source.close?.()
    }
  }

  /** Takes what the receiving end says of this transfer. */
  take(frame: NonNullable<TransferFrame['frame']>): void {
    if (frame.$case === 'credit') {
      this.#credit += Number(frame.value.bytes)
      this.#wake?.()
    } else if (frame.$case === 'receipt') {
      this.#stop()
      this.#settle.resolve(frame.value)
    } else if (frame.$case === 'abort') {
      this.#peerGaveUp = true
      this.fail(errorOf(frame.value))
    }
  }

  /** Ends the transfer from outside: the stream broke, or the caller lost interest. */
  fail(error: Error): void {
    this.#stop()
    this.#settle.reject(error)
  }

  /** The other end will say nothing more: what it has granted is still sent, but no receipt will come. */
  endInput(): void {
    this.#deaf = true
    if (this.#committed) this.#settle.resolve(undefined)
    this.#wake?.()
  }

  #stop(): void {
    this.#over = true
    this.#wake?.()
  }

  async #sendAll(source: Source, offset: number): Promise<void> {
    const { header } = source
    const { byteLength } = header
    if (offset > byteLength) {
      const message = `${this.#name} has ${byteLength} bytes: it cannot be read from ${offset} on`
      throw new TransferError(Status.OUT_OF_RANGE, 'OFFSET_BEHIND_END', message)
    }
    this.#say({
      $case: 'header',
      value: {
        structure: header.structure,
        byteLength: BigInt(byteLength),
        digestAlgorithm: header.digestAlgorithm,
        version: BigInt(header.version ?? 0),
        checkpointInfo: header.checkpointInfo,
        objects: [...(header.objects ?? [])],
      },
    })
    // The digest is over the whole body, also when only its end is sent.
    const digester = createDigester(header.digestAlgorithm)
    const chunks = chunksOf(source.read(0))
    try {
      for (let position = 0; position < byteLength;) {
        // Leave to send comes before the read: who waits holds no memory.
        const mayGoOn = await this.#takeLeave(Math.min(chunkBytes, byteLength - Math.max(position, offset)))
        if (!mayGoOn) return
        const data = await this.#readChunk(chunks, byteLength - position)
        digester.update(data)
        position += data.byteLength
        const unsent = data.subarray(Math.max(0, data.byteLength - Math.max(0, position - offset)))
        if (unsent.byteLength > 0) this.#sendChunk(position - unsent.byteLength, unsent)
        else this.#outbox.leavePlace()
      }
    } finally {
      // Not awaited: a source that hangs in a read returns only after it.
      chunks.return(undefined).catch(() => undefined)
    }
    const digest = digester.digest()
    source.verify?.(digest)
    this.#committed = true
    this.#say({ $case: 'commit', value: { digest } })
    if (this.#deaf) this.#settle.resolve(undefined)
  }

  /** Waits for credit of so many bytes, and then for a place in the outbox. False when the transfer is over instead. */
  async #takeLeave(byteLength: number): Promise<boolean> {
    while (this.#credit < byteLength && !this.#isOver()) {
      if (this.#deaf) {
        const message = `${this.#name}: the other end has left without taking it all`
        throw new TransferError(Status.UNAVAILABLE, 'STREAM_ENDED', message)
      }
      await new Promise<void>((resolve) => (this.#wake = resolve))
    }
    if (this.#isOver()) return false
    await this.#outbox.takePlace()
    if (this.#isOver()) this.#outbox.leavePlace()
    return !this.#isOver()
  }

  #isOver(): boolean {
    return this.#over
  }

  async #readChunk(chunks: AsyncIterator<Uint8Array>, atMost: number): Promise<Uint8Array> {
    try {
      const next = await chunks.next()
      if (next.done !== true && next.value.byteLength <= atMost) return next.value
      const message = `${this.#name} has ${next.done === true ? 'fewer' : 'more'} bytes than it should`
      throw new TransferError(Status.DATA_LOSS, 'LENGTH_MISMATCH', message)
    } catch (error) {
      this.#outbox.leavePlace()
      throw error
    }
  }

  #sendChunk(offset: number, data: Uint8Array): void {
    this.#credit -= data.byteLength
    const chunk = { offset: BigInt(offset), crc32c: checksumOf(data), data: data as Buffer }
    this.#outbox.fillPlace({ frame: { transferId: this.#transferId, frame: { $case: 'chunk', value: chunk } } })
  }

  #say(frame: NonNullable<TransferFrame['frame']>): void {
    this.#outbox.push({ frame: { transferId: this.#transferId, frame } })
  }
}

async function* chunksOf(
  pieces: Iterable<Uint8Array> | AsyncIterable<Uint8Array>,
): AsyncGenerator<Uint8Array, undefined> {
  for await (const piece of pieces) {
    for (let start = 0; start < piece.byteLength; start += chunkBytes) yield piece.subarray(start, start + chunkBytes)
  }
  return undefined
}
