import { Status } from 'nice-grpc-common'

import type { TransferAbort } from '#libs/proto'
import { readRpcFailure, type StatusName } from '#libs/rpc'

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
  const { code, reason, message } = readRpcFailure(error)
  if (code === 'UNKNOWN') {
    return { code: Status.INTERNAL, reason: 'TRANSFER_FAILED', message: message.slice(0, 2000) }
  }
  return { code: Status[code], reason: reason ?? code, message }
}

/** What the other end said when it gave a transfer up. */
export function errorOf({ code, reason, message }: TransferAbort): TransferError {
  // The number is the peer's: one that is no failure code says nothing.
  const codeName = Status[code] as StatusName | 'OK' | undefined
  const known = codeName === undefined || codeName === 'OK' ? Status.UNKNOWN : Status[codeName]
  return new TransferError(known, reason, message)
}

/** Calling again does not help against these: the caller must hear them as they are. */
const lasting: ReadonlySet<StatusName> = new Set([
  'UNAUTHENTICATED',
  'PERMISSION_DENIED',
  'FAILED_PRECONDITION',
  'INVALID_ARGUMENT',
  'UNIMPLEMENTED',
])

/** What the transfers of a stream fail with when the stream to `peer` broke. */
export function brokenStreamError(peer: string, cause: Error): TransferError {
  if (cause instanceof TransferError) return cause
  const { code, reason, message } = readRpcFailure(cause)
  if (lasting.has(code)) return new TransferError(Status[code], reason ?? code, `${peer}: ${message}`, { cause })
  return new TransferError(Status.UNAVAILABLE, 'PEER_GONE', `${peer} is gone: ${message}`, { cause })
}
