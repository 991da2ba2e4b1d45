import { AsyncLocalStorage } from 'node:async_hooks'
// The default import is the object that grpc-js gets from require('http2'), and whose functions can be replaced.
import http2, { type Http2SecureServer, type Http2Server } from 'node:http2'

export type AnyHttp2Server = Http2Server | Http2SecureServer

interface Listening {
  readonly windowBytes: number | undefined
  readonly onServer: (server: AnyHttp2Server) => void
  seen: boolean
}

/**
 * Runs `listen`, in which grpc-js makes its HTTP/2 server, so that the server's receive windows are `windowBytes` per
 * stream and per connection, and hands the server to `onServer`. A grpc-js server has no option for it: it announces
 * 64 KiB, which caps pushes at 64 KiB per round trip. Only servers made inside `listen` are touched. If grpc-js no
 * longer makes its server by `http2.createServer`, it keeps the default window and a warning says so once.
 */
export async function withHttp2Window<T>(
  windowBytes: number | undefined,
  onServer: (server: AnyHttp2Server) => void,
  listen: () => Promise<T>,
): Promise<T> {
  wrapHttp2()
  const listening: Listening = { windowBytes, onServer, seen: false }
  const result = await scope.run(listening, listen)
  if (!listening.seen && windowBytes !== undefined) warnOnce('grpc-js did not make its server by http2.createServer')
  return result
}

const scope = new AsyncLocalStorage<Listening>()
let wrapped = false
let warned = false

function wrapHttp2(): void {
  if (wrapped) return
  wrapped = true
  const { createServer, createSecureServer } = http2
  http2.createServer = ((options: http2.ServerOptions, ...rest: []) =>
    prepare(createServer(withWindow(options), ...rest))) as typeof createServer
  http2.createSecureServer = ((options: http2.SecureServerOptions, ...rest: []) =>
    prepare(createSecureServer(withWindow(options), ...rest))) as typeof createSecureServer
}

function withWindow<Options extends http2.ServerOptions>(options: Options): Options {
  const windowBytes = scope.getStore()?.windowBytes
  if (windowBytes === undefined) return options
  return { ...options, settings: { ...options.settings, initialWindowSize: windowBytes } }
}

function prepare<Server extends AnyHttp2Server>(server: Server): Server {
  const listening = scope.getStore()
  if (listening === undefined) return server
  listening.seen = true
  const { windowBytes } = listening
  if (windowBytes !== undefined) {
    server.on('session', (session: http2.ServerHttp2Session) => {
      try {
        session.setLocalWindowSize(windowBytes)
      } catch (error) {
        warnOnce(String(error))
      }
    })
  }
  listening.onServer(server)
  return server
}

function warnOnce(cause: string): void {
  if (warned) return
  warned = true
  process.emitWarning(`The HTTP/2 receive window stays at 64 KiB, pushes over a real network will be slow: ${cause}`, {
    code: 'COSTATE_HTTP2_WINDOW',
  })
}
