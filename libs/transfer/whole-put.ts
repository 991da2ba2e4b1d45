import { Status } from 'nice-grpc-common'

import {
  DigestAlgorithm,
  type TransferFrame,
  type TransferOpen,
  type TransferReceipt,
  type WholeBody,
} from '#libs/proto'

import { createDigester, xxh64Bytes, xxh64Of } from './digest.js'
import type { Source, TransferHost } from './endpoint.js'
import { checkHeader, headerOf } from './header.js'
import { initialCreditBytes, wholePutBytes } from './limits.js'
import { nameOf } from './target-name.js'
import { errorOf, TransferError } from './transfer-error.js'

type Frame = NonNullable<TransferFrame['frame']>

/** A body that is small enough, and at hand, to go in one frame; else nothing. */
export function wholeBodyOf({ header, segments, digest }: Source): WholeBody | undefined {
  if (segments === undefined || header.byteLength > wholePutBytes) return undefined
  const [only, ...others] = segments
  const data = (only && others.length === 0 ? only : Buffer.concat(segments)) as Buffer
  if (data.byteLength !== header.byteLength) return undefined
  return { header: headerOf(header), data, digest: digest ?? digestOf(header.digestAlgorithm, data) }
}

/** The dialling half of a put that was sent whole with its open: waits for the receipt. */
export class SentWhole {
  readonly #outcome: Promise<TransferReceipt>
  #settle!: { resolve: (receipt: TransferReceipt) => void; reject: (error: Error) => void }
  #peerGaveUp = false

  constructor() {
    this.#outcome = new Promise((resolve, reject) => (this.#settle = { resolve, reject }))
    this.#outcome.catch(() => undefined)
  }

  get peerGaveUp(): boolean {
    return this.#peerGaveUp
  }

  take(frame: Frame): void {
    if (frame.$case === 'receipt') {
      this.#settle.resolve(frame.value)
    } else if (frame.$case === 'abort') {
      this.#peerGaveUp = true
      this.#settle.reject(errorOf(frame.value))
    }
  }

  fail(error: Error): void {
    this.#settle.reject(error)
  }

  receipt(): Promise<TransferReceipt> {
    return this.#outcome
  }
}

/** The listening half: everything is there, so nothing of the dialler is waited for any more. */
export class ReceivedWhole {
  readonly #open: TransferOpen
  #peerGaveUp = false

  constructor(open: TransferOpen) {
    this.#open = open
  }

  get peerGaveUp(): boolean {
    return this.#peerGaveUp
  }

  take(frame: Frame): void {
    if (frame.$case === 'abort') this.#peerGaveUp = true
  }

  fail(): void {
    this.#peerGaveUp = true
  }

  endInput(): void {}

  /**
   * Checks the body and gives it to the host.
   *
   * @throws TransferError DATA_LOSS when it is not what was sent, INVALID_ARGUMENT when it is not as long as announced or
   * too long; and as the host refuses it.
   */
  async receive(host: TransferHost): Promise<TransferReceipt> {
    const open = this.#open
    const { header, data, digest } = open.whole ?? {}
    const name = nameOf(open)
    if (header === undefined || data === undefined || digest === undefined) {
      throw new TransferError(Status.INVALID_ARGUMENT, 'BAD_OPEN', `${name}: a whole body needs its header`)
    }
    checkHeader(name, header)
    if (header.byteLength !== BigInt(data.byteLength) || data.byteLength > initialCreditBytes) {
      const message = `${name}: a whole body of ${data.byteLength} bytes, announced were ${header.byteLength}, and at most ${initialCreditBytes} may come so`
      throw new TransferError(Status.INVALID_ARGUMENT, 'BAD_WHOLE_BODY', message)
    }
    const own = digestOf(header.digestAlgorithm, data)
    if (!own.equals(digest)) {
      const message = `${name}: the digest of what came is ${own.toString('hex')}, not ${digest.toString('hex')}`
      throw new TransferError(Status.DATA_LOSS, 'DIGEST_MISMATCH', message)
    }
    const stored = host.storeWhole?.(open, header, data, own)
    if (stored) return await stored
    const place = await host.openSink(open, header)
    if ('durability' in place) return place
    try {
      await place.write(data)
      return await place.commit(own)
    } catch (error) {
      place.abort()
      throw error
    }
  }
}

function digestOf(algorithm: DigestAlgorithm, data: Uint8Array): Buffer {
  if (algorithm === DigestAlgorithm.XXH64) return xxh64Bytes(xxh64Of([data]))
  const digester = createDigester(algorithm)
  digester.update(data)
  return digester.digest()
}
