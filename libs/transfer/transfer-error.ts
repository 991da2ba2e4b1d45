import { Status } from 'nice-grpc-common'

import type { TransferAbort } from '#libs/proto'

/** One transfer was given up, by either end. Says why with a canonical gRPC code; the stream itself goes on. */
export class TransferError extends Error {
  override readonly name = 'TransferError'
  readonly code: Status
  readonly reason: string

  constructor(code: Status, reason: string, message: string, options?: ErrorOptions) {
    super(message, options)
    this.code = code
    this.reason = reason
  }
}

/** What is said to the other end of an error that ended a transfer. */
export function abortOf(error: unknown): TransferAbort {
  if (error instanceof TransferError) return { code: error.code, reason: error.reason, message: error.message }
  const message = error instanceof Error ? error.message : String(error)
  return { code: Status.INTERNAL, reason: 'TRANSFER_FAILED', message: message.slice(0, 2000) }
}

/** What the other end said when it gave a transfer up. */
export function errorOf({ code, reason, message }: TransferAbort): TransferError {
  return new TransferError(code, reason, message)
}
