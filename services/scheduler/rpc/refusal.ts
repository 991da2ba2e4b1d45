import { Status } from 'nice-grpc-common'

import type { SessionRefused } from '#libs/proto'
import { type Resource, type RpcFailure, rpcError } from '#libs/rpc'

import type { Answer } from '../loop.js'
import { durationOf } from './to-wire.js'

/** Throws what the core refused as an RPC status; else gives the answer on. `about` is what the request names. */
export function accept(answer: Answer, about?: Resource): Answer {
  const { refusal } = answer
  if (refusal === undefined) return answer
  const { code, reason, message, resource = code === 'NOT_FOUND' ? about : undefined, ...rest } = refusal
  const preconditions =
    code === 'FAILED_PRECONDITION' ? [{ type: reason, subject: about?.name ?? '', description: message }] : []
  throw rpcError(code, reason, message, { ...rest, ...(resource && { resource }), preconditions })
}

/** The same refusal as a message of a session, which goes on. */
export function refusedToWire(requestId: string, failure: RpcFailure): SessionRefused {
  const { code, reason = '', message, metadata, retryDelayMs, fieldViolations = [] } = failure
  return {
    requestId,
    code: Status[code],
    reason,
    message,
    metadata: new Map(Object.entries(metadata)),
    retryDelay: retryDelayMs === undefined ? undefined : durationOf(retryDelayMs),
    fieldViolations: [...fieldViolations],
  }
}
