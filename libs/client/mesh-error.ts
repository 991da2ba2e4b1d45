import { Status } from 'nice-grpc-common'

import { readRpcFailure } from '#libs/rpc'
import { MeshError } from '#libs/task'
import { TransferError } from '#libs/transfer'

/** Whatever a call to the mesh threw, as the error that users see. */
export function meshErrorOf(error: unknown): Error {
  if (error instanceof MeshError) return error
  if (error instanceof TransferError) {
    return new MeshError(Status[error.code], error.reason, error.message, { cause: error })
  }
  const { code, reason, message, ...details } = readRpcFailure(error)
  return new MeshError(code, reason ?? '', message, { cause: error, ...details })
}
