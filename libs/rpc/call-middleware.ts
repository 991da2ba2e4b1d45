import { ServerError, type CallContext, type ServerMiddleware, type ServerMiddlewareCall } from 'nice-grpc-common'
import { CALL_ID_KEY, type CallGate, internalError, type OpenCall, shuttingDown } from './call-gate.js'
import { isHealthPath } from './health.js'
import { abortError, interruptible } from './interruptible.js'
import type { Role } from './security/role.js'
import { isAbortError, rpcError, statusBytesOf } from './status.js'
import { DETAILS_KEY } from './status-details.js'
import { traceServerCall } from './tracing.js'
import type { ReportInternal } from './wire-status.js'

/** What a handler is told about its call. */
export type RpcCallContext = CallContext & {
  /** Proved by the caller's token and, with TLS, its certificate. */
  readonly role: Role
  /** When the caller stops waiting; `signal` aborts then. Pass it on to calls made on the caller's behalf. */
  readonly deadline: Date | undefined
}

/** Runs the handlers: gives them their context, ends them in order, and lets no error out that is not canonical. */
export function createCallMiddleware(gate: CallGate, reportInternal: ReportInternal): ServerMiddleware<RpcCallContext> {
  return async function* (call, context) {
    const { path } = call.method
    const open = gate.open.get(context.metadata.get(CALL_ID_KEY) ?? '')
    context.metadata.delete(CALL_ID_KEY)
    // The client has gone before its call could start.
    if (open === undefined) throw abortError()
    try {
      refuseExpired(open)
      const { signal, role, deadline } = open
      const handled = handle(call, { ...context, signal, role, deadline }, open)
      if (call.requestStream || call.responseStream || isHealthPath(path)) return yield* handled
      return await traceServerCall(path, context.metadata, async () => {
        try {
          return (await handled.next()).value
        } catch (error) {
          throw toWireError(error, path, open, reportInternal)
        }
      })
    } catch (error) {
      const wireError = toWireError(error, path, open, reportInternal)
      const details = statusBytesOf(wireError)
      if (details !== undefined) context.trailer.set(DETAILS_KEY, details)
      throw wireError
    }
  }
}

async function* handle<Request, Response>(
  call: ServerMiddlewareCall<Request, Response, RpcCallContext>,
  context: RpcCallContext,
  open: OpenCall,
): AsyncGenerator<Response, Response | undefined, undefined> {
  const request = call.requestStream ? interruptible(call.request, open.signal) : call.request
  const result = yield* call.next(request, context)
  // A stream that ended because it was told to is not complete, even when its handler returned in order.
  if (open.stopped) throw shuttingDown()
  return result ?? undefined
}

/** Work whose caller has stopped waiting is not started; the time in queues counts. */
function refuseExpired({ deadline, path }: OpenCall): void {
  if (deadline === undefined || deadline.getTime() > Date.now()) return
  throw rpcError('DEADLINE_EXCEEDED', 'DEADLINE_EXCEEDED', `The deadline of ${path} passed before it could start`)
}

function toWireError(error: unknown, path: string, open: OpenCall, reportInternal: ReportInternal): unknown {
  if (error instanceof ServerError) return error
  if (open.stopped) return shuttingDown()
  if (isAbortError(error)) return error
  return internalError(reportInternal(error, path))
}
