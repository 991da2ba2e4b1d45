import { Status } from 'nice-grpc-common'

import { checkHello, makeHello, TransferDirection, type TransferFrame, type TransferOpen } from '#libs/proto'

import type { TransferHost } from './endpoint.js'
import type { FrameMessage } from './frame-codec.js'
import { outboxLimit, refusedOpenTransfers } from './limits.js'
import { FetchedByHost } from './fetched-by-host.js'
import { Outbox } from './outbox.js'
import { rangeOf } from './range-source.js'
import { Receiving } from './receiving.js'
import type { ResumePoint } from './resume.js'
import { Sending } from './sending.js'
import { leaveUnread, SharedMemory } from './shared-memory.js'
import { nameOf } from './target-name.js'
import { abortOf, TransferError } from './transfer-error.js'
import { ReceivedWhole } from './whole-put.js'

/**
 * The listening half of a bulk stream: answers the dialler's opens from `host` until the dialler ends the stream.
 * `refuse` makes the error that ends a stream whose ends cannot speak with each other.
 */
export async function* serveTransfers(
  requests: AsyncIterable<FrameMessage>,
  host: TransferHost,
  self: string,
  refuse: (reason: string, message: string) => Error,
): AsyncGenerator<FrameMessage, void> {
  const outbox = new Outbox<FrameMessage>(outboxLimit)
  const shared = new SharedMemory((frame) => outbox.push({ frame: { transferId: 0, frame } }))
  const transfers = new AcceptedTransfers(host, outbox, shared)
  const listen = async (): Promise<void> => {
    let greeted = false
    for await (const { frame } of requests) {
      const what = frame?.frame
      if (frame === undefined || what === undefined) continue
      if (what.$case === 'hello') {
        const mismatch = checkHello(what.value, self, 'the dialling end')
        if (mismatch) throw refuse('PROTOCOL_MISMATCH', mismatch)
        greeted = true
      } else if (!greeted) {
        throw refuse('NO_HELLO', `the first frame of a bulk stream must be a hello, not ${what.$case}`)
      } else if (what.$case === 'open' && transfers.has(frame.transferId)) {
        throw refuse('DUPLICATE_TRANSFER', `transfer ${frame.transferId} was opened again before it was over`)
      } else if (what.$case === 'open') {
        transfers.accept(frame.transferId, what.value)
      } else {
        transfers.take(frame.transferId, what)
      }
    }
    await transfers.finish()
  }
  outbox.push({ frame: { transferId: 0, frame: { $case: 'hello', value: { ...makeHello(), takesWholePuts: true } } } })
  listen().then(
    () => outbox.end(),
    (error: unknown) => outbox.end(error as Error),
  )
  try {
    yield* outbox
  } finally {
    transfers.fail(new TransferError(Status.UNAVAILABLE, 'STREAM_ENDED', 'the stream ended in the middle'))
    shared.close()
  }
}

type Accepted = Sending | Receiving | ReceivedWhole | FetchedByHost

/** The transfers that the dialler has opened on one stream and that are not over. */
class AcceptedTransfers {
  readonly #host: TransferHost
  readonly #outbox: Outbox<FrameMessage>
  readonly #shared: SharedMemory
  readonly #open = new Map<number, { readonly transfer: Accepted; readonly over: Promise<void> }>()

  constructor(host: TransferHost, outbox: Outbox<FrameMessage>, shared: SharedMemory) {
    this.#host = host
    this.#outbox = outbox
    this.#shared = shared
  }

  has(transferId: number): boolean {
    return this.#open.has(transferId)
  }

  accept(transferId: number, open: TransferOpen): void {
    const transfer = this.#create(transferId, open)
    const over = this.#run(transfer, transferId, open)
      .catch((error: unknown) => {
        if (!transfer.peerGaveUp) this.#say(transferId, { $case: 'abort', value: abortOf(error) })
      })
      .finally(() => this.#open.delete(transferId))
    this.#open.set(transferId, { transfer, over })
  }

  /** Frames of a transfer that has just ended here cross its last frame on the way: they are no error. */
  take(transferId: number, frame: NonNullable<TransferFrame['frame']>): void {
    const transfer = this.#open.get(transferId)?.transfer
    if (transfer) transfer.take(frame)
    else if (frame.$case === 'chunk') leaveUnread(this.#shared, frame.value)
    else this.#shared.take(frame)
  }

  /** The dialler will say nothing more: ends what can still end. */
  async finish(): Promise<void> {
    for (const { transfer } of this.#open.values()) transfer.endInput()
    await Promise.all([...this.#open.values()].map(({ over }) => over))
  }

  fail(error: Error): void {
    for (const { transfer } of this.#open.values()) transfer.fail(error)
  }

  #create(transferId: number, open: TransferOpen): Accepted {
    if (open.direction === TransferDirection.FETCH) return new FetchedByHost(open)
    if (open.direction !== TransferDirection.PUT)
      return new Sending(transferId, nameOf(open), this.#outbox, this.#shared)
    if (open.whole) return new ReceivedWhole(open)
    return new Receiving(transferId, nameOf(open), this.#outbox, this.#shared, true)
  }

  #say(transferId: number, frame: NonNullable<TransferFrame['frame']>): void {
    this.#outbox.push({ frame: { transferId, frame } })
  }

  async #run(transfer: Accepted, transferId: number, open: TransferOpen): Promise<void> {
    if (this.#open.size >= refusedOpenTransfers) {
      const message = `${this.#open.size} transfers are open on this stream: wait for some of them`
      throw new TransferError(Status.RESOURCE_EXHAUSTED, 'TOO_MANY_TRANSFERS', message)
    }
    if (transfer instanceof ReceivedWhole || transfer instanceof FetchedByHost) {
      this.#say(transferId, { $case: 'receipt', value: await transfer.receive(this.#host) })
    } else if (transfer instanceof Receiving) {
      const receive = (point?: ResumePoint) => transfer.receive((header) => this.#host.openSink(open, header), point)
      const { cutPuts } = this.#host
      if (cutPuts) await cutPuts.receive(open, { fail: (error) => transfer.fail(error), receive })
      else await receive()
    } else if (open.direction === TransferDirection.GET) {
      const openPart = async () => rangeOf(await this.#host.openSource(open), open)
      await transfer.send(openPart, Number(open.offset))
    } else {
      throw new TransferError(Status.INVALID_ARGUMENT, 'BAD_OPEN', 'open a transfer with direction GET or PUT')
    }
  }
}
