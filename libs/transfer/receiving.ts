import { Status } from 'nice-grpc-common'

import type { TransferChunk, TransferFrame, TransferHeader, TransferReceipt } from '#libs/proto'

import { checksumOf, createDigester, type Digester } from './digest.js'
import type { Sink } from './endpoint.js'
import type { FrameMessage } from './frame-codec.js'
import { initialCreditBytes, maxBodyBytes, windowBytes } from './limits.js'
import { Outbox } from './outbox.js'
import { errorOf, TransferError } from './transfer-error.js'

type Frame = NonNullable<TransferFrame['frame']>

/** The receiving half of one transfer: checks every chunk and the whole, grants credit as the sink takes the bytes. */
export class Receiving {
  readonly #transferId: number
  readonly #name: string
  readonly #outbox: Outbox<FrameMessage>
  readonly #inbox = new Outbox<Frame>()

  /** `name` is what is moved, for messages. */
  constructor(transferId: number, name: string, outbox: Outbox<FrameMessage>) {
    this.#transferId = transferId
    this.#name = name
    this.#outbox = outbox
  }

  /** Takes what the sending end says of this transfer. */
  take(frame: Frame): void {
    this.#inbox.push(frame)
  }

  /** Ends the transfer from outside. */
  fail(error: Error): void {
    this.#inbox.end(error)
  }

  /**
   * Receives everything into the sink that `open` makes when the header is there.
   *
   * @throws TransferError DATA_LOSS for a chunk or digest that is not what was sent, INVALID_ARGUMENT for chunks out of
   * order or a body that is shorter or longer than announced, and whatever the sending end gave up with.
   */
  async receive(open: (header: TransferHeader) => Promise<Sink>): Promise<TransferReceipt> {
    let body: IncomingBody | undefined
    try {
      for await (const frame of this.#inbox) {
        if (frame.$case === 'abort') throw errorOf(frame.value)
        if (frame.$case === 'header') {
          checkByteLength(this.#name, frame.value.byteLength)
          body = new IncomingBody(this.#name, frame.value, await open(frame.value))
          if (body.byteLength > initialCreditBytes) this.#grant(windowBytes - initialCreditBytes)
          continue
        }
        if (body === undefined) {
          throw new TransferError(
            Status.INVALID_ARGUMENT,
            'NO_HEADER',
            `${this.#name}: ${frame.$case} before the header`,
          )
        }
        if (frame.$case === 'chunk') {
          await body.take(frame.value)
          const grant = body.takeGrant()
          if (grant > 0) this.#grant(grant)
        } else if (frame.$case === 'commit') {
          const receipt = await body.commit(frame.value.digest)
          body = undefined
          this.#say({ $case: 'receipt', value: receipt })
          return receipt
        }
      }
      throw new TransferError(Status.UNAVAILABLE, 'STREAM_ENDED', `${this.#name}: the stream ended in the middle`)
    } finally {
      this.#inbox.end()
      body?.abort()
    }
  }

  #grant(bytes: number): void {
    this.#say({ $case: 'credit', value: { bytes: BigInt(bytes) } })
  }

  #say(frame: Frame): void {
    this.#outbox.push({ frame: { transferId: this.#transferId, frame } })
  }
}

function checkByteLength(name: string, byteLength: bigint): void {
  if (byteLength <= BigInt(maxBodyBytes)) return
  const gigabytes = (Number(byteLength) / 1e9).toFixed(1)
  throw new TransferError(
    Status.INVALID_ARGUMENT,
    'OBJECT_TOO_LARGE',
    `${name} has ${gigabytes} GB, but one object may have at most 4 GiB: pass it in parts`,
  )
}

class IncomingBody {
  readonly byteLength: number
  readonly #name: string
  readonly #sink: Sink
  readonly #digester: Digester
  #position = 0
  #ungranted = 0

  constructor(name: string, header: TransferHeader, sink: Sink) {
    this.#name = name
    this.#sink = sink
    this.#digester = createDigester(header.digestAlgorithm)
    this.byteLength = Number(header.byteLength)
  }

  async take({ offset, crc32c, data }: TransferChunk): Promise<void> {
    if (Number(offset) !== this.#position || this.#position + data.byteLength > this.byteLength) {
      throw new TransferError(
        Status.INVALID_ARGUMENT,
        'CHUNK_OUT_OF_ORDER',
        `${this.#name}: a chunk of ${data.byteLength} bytes at ${offset}, where the one at ${this.#position} of ` +
          `${this.byteLength} was due`,
      )
    }
    if (checksumOf(data) !== crc32c) {
      throw new TransferError(
        Status.DATA_LOSS,
        'CHUNK_CORRUPT',
        `${this.#name}: the chunk at ${offset} is not what was sent (CRC-32C differs)`,
      )
    }
    this.#digester.update(data)
    const written = this.#sink.write(data)
    if (written !== undefined) await written
    this.#position += data.byteLength
    this.#ungranted += data.byteLength
  }

  /** The credit to give back now; in quarters of the window, so that it costs few frames. */
  takeGrant(): number {
    if (this.#ungranted < windowBytes / 4) return 0
    const grant = this.#ungranted
    this.#ungranted = 0
    return grant
  }

  async commit(digest: Buffer): Promise<TransferReceipt> {
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
