import type { Http2SecureServer, Http2Server, ServerHttp2Session, Settings } from 'node:http2'

import { Server, type ServerCredentials } from '@grpc/grpc-js'

export type AnyHttp2Server = Http2Server | Http2SecureServer

interface Listening {
  readonly windowBytes: number | undefined
  readonly onServer: (server: AnyHttp2Server) => void
  seen: boolean
}

/**
 * Runs `listen`, in which grpc-js makes its HTTP/2 server with these credentials, so that the server's receive windows are
 * `windowBytes` per stream and per connection, and hands the server to `onServer`. A grpc-js server has no option for it: it
 * announces 64 KiB, which caps pushes at 64 KiB per round trip. Only servers with these credentials are touched. If grpc-js
 * makes its server in another way, it keeps the default window and a warning says so once.
 */
export async function withHttp2Window<T>(
  windowBytes: number | undefined,
  onServer: (server: AnyHttp2Server) => void,
  credentials: ServerCredentials,
  listen: () => Promise<T>,
): Promise<T> {
  wrapServers()
  const listening: Listening = { windowBytes, onServer, seen: false }
  listenings.set(credentials, listening)
  const result = await listen()
  if (!listening.seen && windowBytes !== undefined) warnOnce('grpc-js did not make its server by createHttp2Server')
  return result
}

/** Known by their credentials, which grpc-js passes on as they are: a scope of asynchronous hooks would slow every promise. */
const listenings = new WeakMap<ServerCredentials, Listening>()
let wrapped = false
let warned = false

/** What is used of a grpc-js server that its types do not show. */
interface InnerServer {
  createHttp2Server?: (this: InnerServer, credentials: ServerCredentials) => AnyHttp2Server
  /** Of this server alone. */
  commonServerOptions?: { settings?: Settings }
}

function wrapServers(): void {
  if (wrapped) return
  wrapped = true
  const inner = Server.prototype as unknown as InnerServer
  const { createHttp2Server } = inner
  if (createHttp2Server === undefined) return
  inner.createHttp2Server = function (credentials) {
    const listening = listenings.get(credentials)
    if (listening === undefined) return createHttp2Server.call(this, credentials)
    const { windowBytes } = listening
    const options = this.commonServerOptions
    if (windowBytes !== undefined && options) options.settings = { ...options.settings, initialWindowSize: windowBytes }
    const server = createHttp2Server.call(this, credentials)
    listening.seen = options !== undefined
    prepare(server, listening)
    return server
  }
}

function prepare(server: AnyHttp2Server, { windowBytes, onServer }: Listening): void {
  if (windowBytes !== undefined) {
    server.prependListener('session', (session: ServerHttp2Session) => {
      try {
        session.setLocalWindowSize(windowBytes)
      } catch (error) {
        warnOnce(String(error))
      }
    })
  }
  onServer(server)
}

function warnOnce(cause: string): void {
  if (warned) return
  warned = true
  process.emitWarning(`The HTTP/2 receive window stays at 64 KiB, pushes over a real network will be slow: ${cause}`, {
    code: 'COSTATE_HTTP2_WINDOW',
  })
}
