import { randomUUID } from 'node:crypto'
import {
  Metadata,
  ServerInterceptingCall,
  type ServerInterceptingCallInterface,
  type ServerInterceptor,
  status,
} from '@grpc/grpc-js'
import { ServerError } from 'nice-grpc-common'
import { isHealthPath } from './health.js'
import { sendLargeResponses } from './large-message.js'
import { meshNameOfCertificate, parseMeshName } from './security/mesh-name.js'
import type { Role } from './security/role.js'
import type { Security } from './security/security.js'
import { rpcError, statusBytesOf } from './status.js'
import { DETAILS_KEY } from './status-details.js'
import { statusNameOf } from './status-name.js'
import { completeStatus, type ReportInternal, type Status } from './wire-status.js'

/** Carries the id of an admitted call from the interceptor to the middleware, since nice-grpc has no other way. */
export const CALL_ID_KEY = 'costate-internal-call'

/** A call that was let in and is not over. */
export interface OpenCall {
  readonly path: string
  readonly role: Role
  readonly deadline: Date | undefined
  /** Whether either side sends more than one message: such a call does not end by itself. */
  readonly streaming: boolean
  /** Aborts when the call is over for the client or the server shuts down. */
  readonly signal: AbortSignal
  /** Whether the server has told the handler to end because it shuts down. */
  readonly stopped: boolean
  stop(): void
  /** Ends the call on the wire, whatever its handler does. */
  refuse(error: ServerError): void
}

/** Decides before any message is read who may call what, and knows which calls are open. */
export interface CallGate {
  readonly interceptor: ServerInterceptor
  readonly open: ReadonlyMap<string, OpenCall>
  allow: (path: string, roles: readonly Role[]) => void
  isKnown: (path: string) => boolean
  /** From now on new calls are refused with UNAVAILABLE; resolves when the last open one (but health) is over. */
  drain(): Promise<void>
}

/** What a client is told whose call a stopping server refuses or ends. */
export function shuttingDown(): ServerError {
  return rpcError('UNAVAILABLE', 'SHUTTING_DOWN', 'The server is shutting down. Call again shortly.', {
    retryDelayMs: 1000,
  })
}

export function createCallGate(security: Security, reportInternal: ReportInternal): CallGate {
  const policy = new Map<string, readonly Role[]>()
  const open = new Map<string, OpenCall>()
  const checkPeer = createPeerCheck(security)
  let onDrained: (() => void) | undefined

  const finishDraining = () => {
    if (onDrained !== undefined && ![...open.values()].some(({ path }) => !isHealthPath(path))) onDrained()
  }
  const admit = (path: string, call: ServerInterceptingCallInterface, metadata: Metadata): Role => {
    const isHealth = isHealthPath(path)
    if (onDrained !== undefined && !isHealth) throw shuttingDown()
    const role = roleOfCaller(security, metadata)
    checkPeer(call, role)
    // Every role may ask, also while draining. Who has no token, like a probe, asks the health port.
    if (isHealth) return role
    if (policy.get(path)?.includes(role) !== true) throw denied(path, role)
    return role
  }
  const interceptor: ServerInterceptor = ({ path, requestStream, responseStream }, call) => {
    completeEveryStatus(call, path, reportInternal)
    if (responseStream) sendLargeResponses(call)
    const id = randomUUID()
    const ending = new AbortController()
    return new ServerInterceptingCall(call, {
      start: (next) =>
        next({
          onReceiveMetadata(metadata, nextMetadata) {
            try {
              const role = admit(path, call, metadata)
              open.set(id, openCall(call, { path, role, streaming: requestStream || responseStream, ending }))
            } catch (error) {
              call.sendStatus(toStatus(asRefusal(error, path, reportInternal)))
              return
            }
            metadata.remove('authorization')
            metadata.set(CALL_ID_KEY, id)
            nextMetadata(metadata)
          },
          onCancel() {
            // Also called after a call that ended well: this is the one place that sees the end of every call.
            ending.abort()
            if (open.delete(id)) finishDraining()
          },
        }),
    })
  }
  return {
    interceptor,
    open,
    allow: (path, roles) => policy.set(path, roles),
    isKnown: (path) => policy.has(path) || isHealthPath(path),
    drain: () =>
      new Promise((resolve) => {
        onDrained = resolve
        finishDraining()
      }),
  }
}

function openCall(
  call: ServerInterceptingCallInterface,
  { ending, ...facts }: { path: string; role: Role; streaming: boolean; ending: AbortController },
): OpenCall {
  let stopped = false
  return {
    ...facts,
    deadline: deadlineOf(call),
    signal: ending.signal,
    get stopped() {
      return stopped
    },
    stop() {
      stopped = true
      ending.abort()
    },
    refuse: (error) => call.sendStatus(toStatus(error)),
  }
}

/**
 * Every status passes the call's own sendStatus, also those which grpc-js makes itself (a malformed message, one too
 * large, a deadline): here each gets its canonical code and details.
 */
function completeEveryStatus(
  call: ServerInterceptingCallInterface,
  path: string,
  reportInternal: ReportInternal,
): void {
  const sendStatus = call.sendStatus.bind(call)
  call.sendStatus = (status) => sendStatus(completeStatus(status, path, reportInternal))
}

function roleOfCaller(security: Security, metadata: Metadata): Role {
  const presented = metadata.get('authorization')
  const token = presented.length === 1 ? /^Bearer (\S+)$/i.exec(String(presented[0]))?.[1] : undefined
  if (token === undefined) {
    const advice = 'Send the metadata "authorization: Bearer <token>" with a token from the tokens folder of the mesh.'
    throw rpcError('UNAUTHENTICATED', 'TOKEN_MISSING', `The call carries no token. ${advice}`)
  }
  const role = security.verifyToken(token)
  if (role !== undefined) return role
  const advice = 'Use a token from the mesh folder that this server was started with.'
  throw rpcError('UNAUTHENTICATED', 'TOKEN_INVALID', `The token was not made by this mesh. ${advice}`)
}

/** With TLS, the client's certificate must name this mesh and the same role as the token. */
function createPeerCheck({ tls }: Security): (call: ServerInterceptingCallInterface, role: Role) => void {
  if (tls === undefined) return () => undefined
  const { meshId } = meshNameOfCertificate(tls.certPem)
  // Reading a certificate costs as much as a small call, and it cannot change within a session.
  const known = new WeakMap<object, Role>()
  return (call, role) => {
    const session = sessionOf(call)
    let named = session === undefined ? undefined : known.get(session)
    if (named === undefined) {
      const name = parseMeshName(call.getAuthContext().sslPeerCertificate?.subjectaltname)
      if (name?.meshId === meshId) named = name.role
      if (named !== undefined && session !== undefined) known.set(session, named)
    }
    if (named === role) return
    const shown = named === undefined ? 'no role of this mesh' : `the role ${named}`
    throw rpcError(
      'UNAUTHENTICATED',
      'CERTIFICATE_MISMATCH',
      `The client certificate names ${shown}, its token the role ${role}. Use both from one mesh folder.`,
    )
  }
}

/** The HTTP/2 session of a call, which grpc-js does not show; without it every call reads the certificate. */
function sessionOf(call: object): object | undefined {
  const { stream } = call as { stream?: { session?: object } }
  return stream?.session
}

function denied(path: string, role: Role): ServerError {
  const message = `The role ${role} may not call ${path}. Use a token of a role that may.`
  return rpcError('PERMISSION_DENIED', 'ROLE_NOT_ALLOWED', message, { metadata: { role, method: path } })
}

function asRefusal(error: unknown, path: string, reportInternal: ReportInternal): ServerError {
  return error instanceof ServerError ? error : internalError(reportInternal(error, path))
}

/** A bug: the caller learns an id to quote, the log has the stack. */
export function internalError(correlationId: string): ServerError {
  const message = `The server failed. Its log has the cause under the correlation id ${correlationId}.`
  return rpcError('INTERNAL', 'INTERNAL', message, { metadata: { correlationId } })
}

function toStatus(error: ServerError): Status {
  const metadata = new Metadata()
  const details = statusBytesOf(error)
  if (details !== undefined) metadata.set(DETAILS_KEY, Buffer.from(details))
  return { code: status[statusNameOf(error.code)], details: error.details, metadata }
}

function deadlineOf(call: ServerInterceptingCallInterface): Date | undefined {
  const deadline = call.getDeadline()
  return deadline === Infinity ? undefined : new Date(deadline)
}
