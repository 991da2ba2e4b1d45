import type {
  IncomingHttpHeaders,
  OutgoingHttpHeaders,
  ServerHttp2Stream,
  ServerStreamResponseOptions,
} from 'node:http2'
import { Status } from 'nice-grpc-common'
import { DETAILS_KEY, encodeStatus } from './status-details.js'
import type { AnyHttp2Server } from './http2-window.js'

const UNIMPLEMENTED = String(Status.UNIMPLEMENTED)

/**
 * Adds ErrorInfo to the answer for a method that the server does not have. grpc-js refuses such a call before any
 * interceptor sees it, so the details are put into the headers of its answer.
 */
export function explainUnknownMethods(server: AnyHttp2Server, isKnown: (path: string) => boolean): void {
  server.prependListener('stream', (stream: ServerHttp2Stream, headers: IncomingHttpHeaders) => {
    const path = headers[':path'] ?? ''
    if (isKnown(path)) return
    const respond = stream.respond.bind(stream)
    stream.respond = (answer?: OutgoingHttpHeaders, options?: ServerStreamResponseOptions) => {
      respond(
        String(answer?.['grpc-status']) === UNIMPLEMENTED ? { ...answer, [DETAILS_KEY]: detailsFor(path) } : answer,
        options,
      )
    }
  })
}

function detailsFor(path: string): string {
  const metadata = { method: path }
  const message = `The server does not implement the method ${path}`
  const details = { reason: 'UNKNOWN_METHOD', metadata, retryDelayMs: undefined, fieldViolations: [] }
  return Buffer.from(encodeStatus(Status.UNIMPLEMENTED, message, details)).toString('base64')
}
