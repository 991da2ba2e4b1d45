import { randomUUID } from 'node:crypto'
import { rpcError } from './status.js'

const uuidPattern = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i

/**
 * The id of a request as every service takes it: a UUID in any letters. One is made here for clients that send none: then each
 * of their requests is one of its own.
 */
export function readRequestId(requestId: string, field = 'request_id'): string {
  if (requestId === '') return randomUUID()
  if (uuidPattern.test(requestId)) return requestId.toLowerCase()
  const message = `${field} '${requestId.slice(0, 64)}' is no UUID: send a new one with each request and the same with its repeats`
  throw rpcError('INVALID_ARGUMENT', 'BAD_REQUEST_ID', message, { fieldViolations: [{ field, description: message }] })
}
