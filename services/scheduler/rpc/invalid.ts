import type { Duration } from '#libs/proto'
import { rpcError } from '#libs/rpc'

/** A span of time as it travels, in milliseconds. */
export function durationMs({ seconds, nanos }: Duration): number {
  return Number(seconds) * 1000 + nanos / 1e6
}

/** What a client got wrong, and in which field. */
export function invalid(reason: string, message: string, field: string) {
  return rpcError('INVALID_ARGUMENT', reason, message, { fieldViolations: [{ field, description: message }] })
}
