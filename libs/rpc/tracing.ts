import {
  context,
  type Context,
  propagation,
  type Span,
  SpanKind,
  type SpanOptions,
  SpanStatusCode,
  trace,
  type TextMapGetter,
} from '@opentelemetry/api'
import { Metadata } from 'nice-grpc-common'
import { readRpcFailure } from './status.js'
import type { StatusName } from './status-name.js'

/** OpenTelemetry semantic conventions for RPC, as of 1.45 (release candidate): the one place that names them. */
const ATTRIBUTE = {
  system: 'rpc.system.name',
  method: 'rpc.method',
  status: 'rpc.status_code',
  errorType: 'error.type',
  serverAddress: 'server.address',
  serverPort: 'server.port',
} as const

/** What is the server's fault; a refusal of a bad request is no error of its span. */
const SERVER_ERRORS: ReadonlySet<StatusName> = new Set<StatusName>([
  'UNKNOWN',
  'DEADLINE_EXCEEDED',
  'UNIMPLEMENTED',
  'INTERNAL',
  'UNAVAILABLE',
  'DATA_LOSS',
])

const METADATA_GETTER: TextMapGetter<Metadata> = {
  keys: (metadata) => [...metadata].map(([key]) => key),
  get: (metadata, key) => textOf(metadata.get(key)),
}

/**
 * Runs one unary call of a client in a CLIENT span and hands it the metadata that carries the span's context. Streams
 * get no span: they live for days and must never be a parent (the context of a task travels in its envelope).
 */
export async function traceClientCall<T>(
  call: { readonly path: string; readonly server: { host: string; port: number } | undefined },
  metadata: Metadata,
  run: (metadata: Metadata) => Promise<T>,
): Promise<T> {
  const attributes = {
    ...baseAttributes(call.path),
    ...(call.server && { [ATTRIBUTE.serverAddress]: call.server.host, [ATTRIBUTE.serverPort]: call.server.port }),
  }
  const parent = context.active()
  const span = startSpan(call.path, { kind: SpanKind.CLIENT, attributes }, parent)
  return await endWith(span, SpanKind.CLIENT, () => {
    const carrying = Metadata(metadata)
    propagation.inject(trace.setSpan(parent, span), carrying, { set: setIfAllowed })
    return run(carrying)
  })
}

/** Runs one unary call of a server in a SERVER span, the child of the caller's span, which is the active one meanwhile. */
export async function traceServerCall<T>(path: string, metadata: Metadata, run: () => Promise<T>): Promise<T> {
  const parent = propagation.extract(context.active(), metadata, METADATA_GETTER)
  const span = startSpan(path, { kind: SpanKind.SERVER, attributes: baseAttributes(path) }, parent)
  return await endWith(span, SpanKind.SERVER, () => context.with(trace.setSpan(parent, span), run))
}

function startSpan(path: string, options: SpanOptions, parent: Context): Span {
  return trace.getTracer('costate.rpc').startSpan(methodOf(path), options, parent)
}

async function endWith<T>(span: Span, kind: SpanKind, run: () => Promise<T>): Promise<T> {
  try {
    const result = await run()
    span.setAttribute(ATTRIBUTE.status, 'OK')
    return result
  } catch (error) {
    const { code, reason, message } = readRpcFailure(error)
    span.setAttribute(ATTRIBUTE.status, code)
    if (kind === SpanKind.CLIENT || SERVER_ERRORS.has(code)) {
      span.setAttribute(ATTRIBUTE.errorType, reason ?? code)
      span.setStatus({ code: SpanStatusCode.ERROR, message })
    }
    throw error
  } finally {
    span.end()
  }
}

function baseAttributes(path: string): Record<string, string | number> {
  return { [ATTRIBUTE.system]: 'grpc', [ATTRIBUTE.method]: methodOf(path) }
}

/** `pkg.v1.Service/Method`, also the name of the span. */
function methodOf(path: string): string {
  return path.slice(1)
}

/** Baggage may hold what metadata may not; a call must not fail for that. */
function setIfAllowed(metadata: Metadata, key: string, value: string): void {
  if (/^[ -~]*$/.test(value)) metadata.set(key, value)
}

function textOf(value: string | Uint8Array | undefined): string | undefined {
  return typeof value === 'string' ? value : undefined
}
