import { randomUUID } from 'node:crypto'
import { logVerbosity, ServerCredentials, setLogVerbosity } from '@grpc/grpc-js'
import {
  type CompatServiceDefinition,
  createServer,
  type Server,
  type NormalizedServiceDefinition,
  type ServiceImplementation,
} from 'nice-grpc'
import { dialableHost, formatAddress, isLoopback, parseAddress } from './address.js'
import { createCallGate, shuttingDown } from './call-gate.js'
import { createCallMiddleware, type RpcCallContext } from './call-middleware.js'
import { readIntoUsedMemory } from './frame-reader.js'
import { createHealth, healthDefinition, isHealthPath } from './health.js'
import { type AnyHttp2Server, withHttp2Window } from './http2-window.js'
import { createServerCredentials } from './security/credentials.js'
import type { Role } from './security/role.js'
import type { Security } from './security/security.js'
import { methodPathsOf, prepareDefinition } from './service-definition.js'
import { explainUnknownMethods } from './unknown-method.js'
import type { ReportInternal } from './wire-status.js'

/** The methods of a service, as its implementation names them. */
export type MethodName<S extends CompatServiceDefinition> = keyof NormalizedServiceDefinition<S> & string

export interface RpcServerOptions {
  readonly security: Security
  /** Gets every bug: what a handler threw that is no ServerError or AbortError. The caller sees only the id. */
  readonly onInternalError?: (error: unknown, correlationId: string, path: string) => void
  /** Largest message in either direction, 16 MiB unless given. */
  readonly maxMessageBytes?: number
  /** HTTP/2 receive window per stream and connection; 64 KiB unless given, which caps pushes at 64 KiB per round trip. */
  readonly windowBytes?: number
}

export interface RpcServer {
  /** Adds a service before `listen`. `roles` says who may call each method; a method that it does not list is denied. */
  add<S extends CompatServiceDefinition>(
    definition: S,
    implementation: ServiceImplementation<S, RpcCallContext>,
    roles: Record<MethodName<S>, readonly Role[]>,
  ): void
  /**
   * Binds `host:port`, port 0 for any free one, and returns the address that others can dial. Rejects off loopback
   * without TLS, and for a port in use.
   */
  listen(address: string): Promise<string>
  /** What grpc.health.v1 says for '' and each service; not serving until told. Every role may ask. */
  setServing(serving: boolean): void
  /**
   * Serves grpc.health.v1 alone, in clear text and without a token, on an address of its own: the probes of Kubernetes cannot
   * speak mutual TLS. Returns the address that others can dial.
   */
  listenHealth(address: string): Promise<string>
  /**
   * Ends in order: not serving; new calls are refused with UNAVAILABLE and RetryInfo; streams get their signal aborted
   * and end with UNAVAILABLE; after at most `graceMs` what is still open is cut off. Later calls join the first.
   */
  shutdown(graceMs: number): Promise<void>
}

const DEFAULT_MAX_MESSAGE_BYTES = 16 * 2 ** 20
/** How long the connections get to close once nothing runs on them. */
const CLOSE_MS = 500

/** The one way to serve gRPC: authenticated, authorised per method, with canonical errors, health and an orderly end. */
export function createRpcServer(options: RpcServerOptions): RpcServer {
  readIntoUsedMemory()
  const { security, windowBytes, maxMessageBytes = DEFAULT_MAX_MESSAGE_BYTES } = options
  const reportInternal = createReporter(options.onInternalError)
  const gate = createCallGate(security, reportInternal)
  const health = createHealth()
  // What grpc-js would print is in the errors that we throw.
  if (process.env['GRPC_VERBOSITY'] === undefined) setLogVerbosity(logVerbosity.NONE)
  const server = createServer({
    interceptors: [gate.interceptor],
    'grpc.max_receive_message_length': maxMessageBytes,
    'grpc.max_send_message_length': maxMessageBytes,
    'grpc.max_concurrent_streams': 1_000,
    'grpc.keepalive_time_ms': 60_000,
    'grpc.keepalive_timeout_ms': 20_000,
  }).use(createCallMiddleware(gate, reportInternal))
  server.add(prepareDefinition(healthDefinition) as unknown as typeof healthDefinition, health.implementation)
  let stopping: Promise<void> | undefined
  let healthServer: Server | undefined

  async function stop(graceMs: number): Promise<void> {
    health.setServing(false)
    const drained = gate.drain()
    for (const call of gate.open.values()) if (call.streaming && !isHealthPath(call.path)) call.stop()
    await settlesWithin(drained, graceMs)
    for (const call of gate.open.values()) call.refuse(shuttingDown())
    await settlesWithin(server.shutdown(), CLOSE_MS)
    server.forceShutdown()
    healthServer?.forceShutdown()
  }
  return {
    add(definition, implementation, roles) {
      const prepared = prepareDefinition(definition)
      for (const [name, path] of methodPathsOf(prepared)) {
        gate.allow(path, (roles as Partial<Record<string, readonly Role[]>>)[name] ?? [])
      }
      health.addService(prepared.fullName)
      // The same methods in another shape, which the type of S does not show.
      server.add(prepared as unknown as typeof definition, implementation)
    },
    async listen(address) {
      const { host } = parseAddress(address)
      if (!isLoopback(host) && security.tls === undefined) throw new Error(withoutTls(address))
      const credentials = createServerCredentials(security)
      const explain = (http2: AnyHttp2Server): void => explainUnknownMethods(http2, gate.isKnown)
      try {
        const port = await withHttp2Window(windowBytes, explain, credentials, () => server.listen(address, credentials))
        return formatAddress({ host: dialableHost(host), port })
      } catch (error) {
        throw explainBindError(address, error)
      }
    },
    setServing: health.setServing,
    async listenHealth(address) {
      healthServer = createServer()
      healthServer.add(prepareDefinition(healthDefinition) as unknown as typeof healthDefinition, health.implementation)
      try {
        const port = await healthServer.listen(address, ServerCredentials.createInsecure())
        return formatAddress({ host: dialableHost(parseAddress(address).host), port })
      } catch (error) {
        throw explainBindError(address, error)
      }
    },
    shutdown: (graceMs) => (stopping ??= stop(graceMs)),
  }
}

function createReporter(onInternalError: RpcServerOptions['onInternalError']): ReportInternal {
  return (error, path) => {
    const correlationId = randomUUID()
    if (onInternalError !== undefined) onInternalError(error, correlationId, path)
    else console.error(`${path} failed (correlation id ${correlationId}):`, error)
    return correlationId
  }
}

function withoutTls(address: string): string {
  return (
    `Refusing to listen on ${address} without TLS: anybody on the network could read the mesh's token. ` +
    'Make the mesh folder with createMeshSecurity(folder, { tls: true }), or listen on 127.0.0.1.'
  )
}

function explainBindError(address: string, error: unknown): Error {
  const message = error instanceof Error ? error.message : String(error)
  const advice = message.includes('EADDRINUSE')
    ? 'is in use by another process. Stop that process, choose another port, or use port 0 for any free one.'
    : message.includes('EADDRNOTAVAIL')
      ? 'is not an address of this machine. Use one of its own, or 0.0.0.0 for all.'
      : message.includes('EACCES')
        ? 'needs privileges. Use a port above 1023.'
        : `could not be bound: ${message}`
  const code = /\b(EADDRINUSE|EADDRNOTAVAIL|EACCES)\b/.exec(message)?.[1]
  return Object.assign(new Error(`${address} ${advice}`, { cause: error }), code ? { code } : {})
}

async function settlesWithin(promise: Promise<void>, limitMs: number): Promise<void> {
  let timer: NodeJS.Timeout | undefined
  const limit = new Promise<void>((resolve) => (timer = setTimeout(resolve, limitMs)))
  await Promise.race([promise, limit]).finally(() => clearTimeout(timer))
}
