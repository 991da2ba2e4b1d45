import { Status } from 'nice-grpc-common'

import type { TransferFrame, TransferOpen, TransferReceipt } from '#libs/proto'

import type { TransferHost } from './endpoint.js'
import { TransferError } from './transfer-error.js'

/** The listening half of a fetch: the host gets the body from elsewhere. */
export class FetchedByHost {
  readonly #open: TransferOpen
  readonly #givenUp = new AbortController()
  #peerGaveUp = false

  constructor(open: TransferOpen) {
    this.#open = open
  }

  get peerGaveUp(): boolean {
    return this.#peerGaveUp
  }

  take(frame: NonNullable<TransferFrame['frame']>): void {
    if (frame.$case !== 'abort') return
    this.#peerGaveUp = true
    this.#givenUp.abort()
  }

  /** With the stream only the answer is lost: the fetch goes on, and who asks again joins it. */
  fail(): void {
    this.#peerGaveUp = true
  }

  endInput(): void {}

  /** @throws TransferError as the host gives it up; INVALID_ARGUMENT from a host that fetches nothing. */
  async receive(host: TransferHost): Promise<TransferReceipt> {
    if (host.fetch) return await host.fetch(this.#open, this.#givenUp.signal)
    throw new TransferError(Status.INVALID_ARGUMENT, 'BAD_OPEN', 'nothing is fetched here: put it instead')
  }
}
