import { Status } from 'nice-grpc-common'

import {
  checkHello,
  makeHello,
  TransferDirection,
  type TransferFrame,
  type TransferHeader,
  type TransferOpen,
  type TransferReceipt,
} from '#libs/proto'

import type { Sink, Source } from './endpoint.js'
import type { FrameMessage } from './frame-codec.js'
import { Outbox } from './outbox.js'
import { Receiving } from './receiving.js'
import { Sending } from './sending.js'
import { nameOf } from './serve.js'
import { abortOf, TransferError } from './transfer-error.js'

/** What a transfer moves. */
export type TransferTarget = NonNullable<TransferOpen['target']>

/** Opens the bulk RPC. */
export type TransferDialler = (
  requests: AsyncIterable<FrameMessage>,
  options: { signal: AbortSignal },
) => AsyncIterable<FrameMessage>

/** The dialling half of a bulk stream: gets and puts, many at a time. When it breaks, all of them fail with UNAVAILABLE. */
export class TransferStream {
  readonly #outbox = new Outbox<FrameMessage>()
  readonly #transfers = new Map<number, Sending | Receiving>()
  readonly #abort = new AbortController()
  readonly #peer: string
  #nextTransferId = 1
  #broken: Error | undefined

  /** `peer` names the other end, for messages. */
  constructor(dial: TransferDialler, peer: string) {
    this.#peer = peer
    this.#outbox.push({ frame: { transferId: 0, frame: { $case: 'hello', value: makeHello() } } })
    this.#listen(dial).then(
      () => this.#break(new Error(`${peer} ended the stream`)),
      (error: unknown) => this.#break(error as Error),
    )
  }

  /** Whether the stream is gone; a new one is needed. */
  get broken(): boolean {
    return this.#broken !== undefined
  }

  /**
   * Gets a body into the sink that `open` makes when the header is there.
   *
   * @throws TransferError as the other end or the checks gave it up.
   */
  async get(
    target: TransferTarget,
    open: (header: TransferHeader) => Sink | Promise<Sink>,
    options: { signal?: AbortSignal | undefined } = {},
  ): Promise<void> {
    const request = this.#open(target, TransferDirection.GET)
    const receiving = new Receiving(request.transferId, nameOf(request.open), this.#outbox)
    await this.#run(request, receiving, options.signal, () => receiving.receive(async (header) => open(header)))
  }

  /** Puts a body. Resolves when the other end has stored it. */
  async put(
    target: TransferTarget,
    source: Source,
    options: { signal?: AbortSignal | undefined; requestId: string; sessionId?: string },
  ): Promise<TransferReceipt> {
    const request = this.#open(target, TransferDirection.PUT, options.requestId, options.sessionId)
    const sending = new Sending(request.transferId, source, this.#outbox)
    return await this.#run(request, sending, options.signal, async () => {
      await sending.send(0)
      return await sending.receipt
    })
  }

  /** Ends the stream; what is under way fails. */
  close(): void {
    this.#break(new Error('closed here'))
    this.#abort.abort()
  }

  #open(
    target: TransferTarget,
    direction: TransferDirection,
    requestId = '',
    sessionId = '',
  ): { transferId: number; open: TransferOpen } {
    return { transferId: this.#nextTransferId++, open: { direction, target, requestId, sessionId, offset: 0n } }
  }

  async #run<Answer>(
    { transferId, open }: { transferId: number; open: TransferOpen },
    transfer: Sending | Receiving,
    signal: AbortSignal | undefined,
    work: () => Promise<Answer>,
  ): Promise<Answer> {
    if (this.#broken) throw this.#unavailable(this.#broken)
    this.#transfers.set(transferId, transfer)
    const cancel = (): void => {
      const error = new TransferError(Status.CANCELLED, 'CANCELLED', `${nameOf(open)}: cancelled here`)
      transfer.fail(error)
      this.#say(transferId, { $case: 'abort', value: abortOf(error) })
    }
    signal?.addEventListener('abort', cancel, { once: true })
    try {
      this.#say(transferId, { $case: 'open', value: open })
      if (signal?.aborted) cancel()
      return await work()
    } catch (error) {
      this.#say(transferId, { $case: 'abort', value: abortOf(error) })
      throw error
    } finally {
      signal?.removeEventListener('abort', cancel)
      this.#transfers.delete(transferId)
    }
  }

  async #listen(dial: TransferDialler): Promise<void> {
    for await (const { frame } of dial(this.#outbox, { signal: this.#abort.signal })) {
      const what = frame?.frame
      if (frame === undefined || what === undefined) continue
      if (what.$case === 'hello') {
        const mismatch = checkHello(what.value, 'this end', this.#peer)
        if (mismatch) throw new TransferError(Status.FAILED_PRECONDITION, 'PROTOCOL_MISMATCH', mismatch)
      } else {
        this.#transfers.get(frame.transferId)?.take(what)
      }
    }
  }

  #say(transferId: number, frame: NonNullable<TransferFrame['frame']>): void {
    this.#outbox.push({ frame: { transferId, frame } })
  }

  #break(cause: Error): void {
    if (this.#broken) return
    this.#broken = cause
    this.#outbox.end()
    for (const transfer of this.#transfers.values()) transfer.fail(this.#unavailable(cause))
  }

  #unavailable(cause: Error): TransferError {
    if (cause instanceof TransferError) return cause
    return new TransferError(Status.UNAVAILABLE, 'PEER_GONE', `${this.#peer} is gone: ${cause.message}`, { cause })
  }
}
