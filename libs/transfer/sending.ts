import type { TransferFrame, TransferReceipt } from '#libs/proto'

import { checksumOf, createDigester } from './digest.js'
import type { Source } from './endpoint.js'
import type { FrameMessage } from './frame-codec.js'
import { chunkBytes, initialCreditBytes, outboxLimit } from './limits.js'
import type { Outbox } from './outbox.js'
import { errorOf } from './transfer-error.js'

/** The sending half of one transfer: header, chunks within the credit, commit; then waits for the receipt. */
export class Sending {
  readonly #transferId: number
  readonly #source: Source
  readonly #outbox: Outbox<FrameMessage>
  readonly receipt: Promise<TransferReceipt>
  #settle!: { resolve: (receipt: TransferReceipt) => void; reject: (error: Error) => void }
  #credit = initialCreditBytes
  #wake: (() => void) | undefined
  #over = false

  constructor(transferId: number, source: Source, outbox: Outbox<FrameMessage>) {
    this.#transferId = transferId
    this.#source = source
    this.#outbox = outbox
    this.receipt = new Promise((resolve, reject) => (this.#settle = { resolve, reject }))
    // Who started the transfer may look at the receipt later, or never.
    this.receipt.catch(() => undefined)
  }

  /** Sends everything from `offset` on. Rejects when the source fails; returns early when the other end gave up. */
  async send(offset: number): Promise<void> {
    const { header } = this.#source
    this.#say({
      $case: 'header',
      value: {
        structure: header.structure,
        byteLength: BigInt(header.byteLength),
        digestAlgorithm: header.digestAlgorithm,
        version: BigInt(header.version ?? 0),
        checkpointInfo: header.checkpointInfo,
      },
    })
    // The digest is over the whole body, also when only its end is sent.
    const digester = createDigester(header.digestAlgorithm)
    let position = 0
    for await (const piece of this.#source.read(0)) {
      for (let start = 0; start < piece.byteLength && !this.#over; start += chunkBytes) {
        const data = piece.subarray(start, start + chunkBytes)
        digester.update(data)
        if (position + data.byteLength > offset) {
          const unsent = position < offset ? data.subarray(offset - position) : data
          await this.#sendChunk(position + data.byteLength - unsent.byteLength, unsent)
        }
        position += data.byteLength
      }
      if (this.#over) return
    }
    this.#say({ $case: 'commit', value: { digest: digester.digest() } })
  }

  /** Takes what the receiving end says of this transfer. */
  take(frame: NonNullable<TransferFrame['frame']>): void {
    if (frame.$case === 'credit') {
      this.#credit += Number(frame.value.bytes)
      this.#wake?.()
    } else if (frame.$case === 'receipt') {
      this.#end()
      this.#settle.resolve(frame.value)
    } else if (frame.$case === 'abort') {
      this.fail(errorOf(frame.value))
    }
  }

  /** Ends the transfer from outside: the stream broke, or the caller lost interest. */
  fail(error: Error): void {
    this.#end()
    this.#settle.reject(error)
  }

  #end(): void {
    if (!this.#over) this.#source.close?.()
    this.#over = true
    this.#wake?.()
  }

  async #sendChunk(offset: number, data: Uint8Array): Promise<void> {
    while (this.#credit < data.byteLength && !this.#over) {
      await new Promise<void>((resolve) => (this.#wake = resolve))
    }
    if (this.#over) return
    this.#credit -= data.byteLength
    const chunk = { offset: BigInt(offset), crc32c: checksumOf(data), data: data as Buffer }
    this.#say({ $case: 'chunk', value: chunk })
    await this.#outbox.room(outboxLimit)
  }

  #say(frame: NonNullable<TransferFrame['frame']>): void {
    this.#outbox.push({ frame: { transferId: this.#transferId, frame } })
  }
}
