import { Metadata, type ServerInterceptingCallInterface, status as Code } from '@grpc/grpc-js'
import { DETAILS_KEY, encodeStatus } from './status-details.js'
import { type StatusName, statusNameOf } from './status-name.js'
import { fitWireText } from './wire-text.js'

export type Status = Parameters<ServerInterceptingCallInterface['sendStatus']>[0]

/** Logs a bug under a new correlation id, which it returns. */
export type ReportInternal = (error: unknown, path: string) => string

const MESSAGE_LIMIT_BYTES = 2_048

/** How the messages start with which grpc-js calls a broken request an internal error. */
const CLIENT_FAULTS = ['Error deserializing request', 'Failed to decompress message', 'Invalid grpc-timeout']

interface Complete {
  readonly code: StatusName
  readonly reason: string
  readonly message: string
  readonly metadata?: Record<string, string>
}

/**
 * A status as it leaves our servers: never UNKNOWN, its message short and encodable, with ErrorInfo. Statuses of
 * `rpcError` have their details already; the others come from grpc-js itself or a bare ServerError.
 */
export function completeStatus(status: Status, path: string, reportInternal: ReportInternal): Status {
  if (status.code === Code.OK) return status
  const metadata = status.metadata?.clone() ?? new Metadata()
  if (metadata.get(DETAILS_KEY).length === 1 && status.code !== Code.UNKNOWN) {
    return { code: status.code, details: fitWireText(status.details, MESSAGE_LIMIT_BYTES), metadata }
  }
  const complete = classify(status, path, reportInternal)
  const code = Code[complete.code]
  const message = fitWireText(complete.message, MESSAGE_LIMIT_BYTES)
  const details = {
    reason: complete.reason,
    metadata: complete.metadata ?? {},
    retryDelayMs: undefined,
    fieldViolations: [],
  }
  metadata.set(DETAILS_KEY, Buffer.from(encodeStatus(code, message, details)))
  return { code, details: message, metadata }
}

function classify(status: Status, path: string, reportInternal: ReportInternal): Complete {
  const code = statusNameOf(status.code)
  const message = status.details
  if (code === 'INTERNAL' && CLIENT_FAULTS.some((start) => message.startsWith(start))) {
    return {
      code: 'INVALID_ARGUMENT',
      reason: 'MALFORMED_MESSAGE',
      message: `A request of ${path} could not be decoded: ${message}. Do both ends use the same proto?`,
      metadata: { method: path },
    }
  }
  if (code === 'RESOURCE_EXHAUSTED') return { code, reason: 'MESSAGE_TOO_LARGE', message, metadata: { method: path } }
  if (code !== 'INTERNAL' && code !== 'UNKNOWN') return { code, reason: code, message }
  const correlationId = reportInternal(new Error(message), path)
  return {
    code: 'INTERNAL',
    reason: 'INTERNAL',
    message: `${message} (correlation id ${correlationId})`,
    metadata: { correlationId },
  }
}
