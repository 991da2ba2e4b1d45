import { Status } from 'nice-grpc-common'

import { checkHello, makeHello, TransferDirection, type TransferFrame, type TransferOpen } from '#libs/proto'

import type { TransferHost } from './endpoint.js'
import type { FrameMessage } from './frame-codec.js'
import { Outbox } from './outbox.js'
import { Receiving } from './receiving.js'
import { Sending } from './sending.js'
import { abortOf, TransferError } from './transfer-error.js'

type Frame = NonNullable<TransferFrame['frame']>

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
  const outbox = new Outbox<FrameMessage>()
  const transfers = new Map<number, Sending | Receiving>()
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
      } else if (what.$case === 'open') {
        accept(frame.transferId, what.value, host, outbox, transfers)
      } else {
        // Frames of a transfer that has just ended here cross its last frame on the way: not an error.
        transfers.get(frame.transferId)?.take(what)
      }
    }
  }
  outbox.push({ frame: { transferId: 0, frame: { $case: 'hello', value: makeHello() } } })
  listen().then(
    () => outbox.end(),
    (error: unknown) => outbox.end(error as Error),
  )
  try {
    yield* outbox
  } finally {
    const error = new TransferError(Status.UNAVAILABLE, 'STREAM_ENDED', 'the stream ended in the middle')
    for (const transfer of transfers.values()) transfer.fail(error)
  }
}

function accept(
  transferId: number,
  open: TransferOpen,
  host: TransferHost,
  outbox: Outbox<FrameMessage>,
  transfers: Map<number, Sending | Receiving>,
): void {
  const run = open.direction === TransferDirection.PUT ? receive() : send()
  run
    .catch((error: unknown) => say({ $case: 'abort', value: abortOf(error) }))
    .finally(() => transfers.delete(transferId))

  function say(frame: Frame): void {
    outbox.push({ frame: { transferId, frame } })
  }

  async function receive(): Promise<void> {
    const receiving = new Receiving(transferId, nameOf(open), outbox)
    transfers.set(transferId, receiving)
    await receiving.receive((header) => host.openSink(open, header))
  }

  async function send(): Promise<void> {
    if (open.direction !== TransferDirection.GET) {
      throw new TransferError(Status.INVALID_ARGUMENT, 'BAD_OPEN', 'open a transfer with direction GET or PUT')
    }
    const source = await host.openSource(open)
    const sending = new Sending(transferId, source, outbox)
    transfers.set(transferId, sending)
    try {
      await sending.send(Number(open.offset))
      await sending.receipt
    } finally {
      sending.fail(new TransferError(Status.CANCELLED, 'TRANSFER_OVER', 'the transfer is over'))
    }
  }
}

/** What an open names, for messages. */
export function nameOf({ target }: TransferOpen): string {
  switch (target?.$case) {
    case 'objectId':
      return `object ${target.value}`
    case 'blobDigest':
      return `blob ${target.value.slice(0, 12)}`
    case 'checkpoint':
      return `checkpoint ${target.value.name}`
    case undefined:
      return 'nothing'
    default:
      return target satisfies never
  }
}
