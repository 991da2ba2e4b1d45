import {
  type Context,
  context,
  defaultTextMapGetter,
  defaultTextMapSetter,
  propagation,
  ROOT_CONTEXT,
  type Span,
  trace,
  TraceFlags,
} from '@opentelemetry/api'
// By file: the index of this package loads 39 modules, and a task thread pays for each of them again.
import { W3CBaggagePropagator } from '@opentelemetry/core/build/src/baggage/propagation/W3CBaggagePropagator.js'
import { suppressTracing } from '@opentelemetry/core/build/src/trace/suppress-tracing.js'
import { W3CTraceContextPropagator } from '@opentelemetry/core/build/src/trace/W3CTraceContextPropagator.js'

/**
 * A trace context as plain strings: `traceparent`, `tracestate` and `baggage` of W3C Trace Context and Baggage.
 * It travels in the task envelope, never in the metadata of a stream: a stream lives for days and must not be a parent.
 * An empty one in an envelope means "this task has no trace of its own".
 */
export type TraceCarrier = Record<string, string>

const traceContext = new W3CTraceContextPropagator()
const baggage = new W3CBaggagePropagator()
let allowedBaggage: ReadonlySet<string> | 'all' | undefined

/**
 * Sets which baggage keys may enter and leave this process; all others are dropped at the door. Without a call it is the
 * comma-separated COSTATE_BAGGAGE_KEYS (`*` for all), and nothing when that is not set: baggage is sent to every worker.
 */
export function allowBaggage(keys: readonly string[] | 'all'): void {
  allowedBaggage = keys === 'all' ? 'all' : new Set(keys)
}

/** The trace context of `from` (the active context unless given) as strings; empty when there is none. */
export function injectTrace(from: Context = context.active()): TraceCarrier {
  const carrier: TraceCarrier = {}
  traceContext.inject(from, carrier, defaultTextMapSetter)
  baggage.inject(withAllowedBaggage(from), carrier, defaultTextMapSetter)
  return carrier
}

/** The carrier whose parent is this span, with the baggage of `within`. */
export function carrierOf(span: Span, within: Context = ROOT_CONTEXT): TraceCarrier {
  return injectTrace(trace.setSpan(within, span))
}

/**
 * The context that a carrier names. Where it is empty or malformed the context has no span, so a span started in it begins
 * a new trace: right for a submit by a client that does not trace. For a task use `extractTaskTrace`.
 */
export function extractTrace(carrier: TraceCarrier): Context {
  const extracted = traceContext.extract(ROOT_CONTEXT, carrier, defaultTextMapGetter)
  return withAllowedBaggage(baggage.extract(extracted, carrier, defaultTextMapGetter))
}

/** Like `extractTrace`, but an empty or malformed carrier gives a context in which no span is made at all. */
export function extractTaskTrace(carrier: TraceCarrier): Context {
  const extracted = extractTrace(carrier)
  return trace.getSpanContext(extracted) === undefined ? suppressTracing(extracted) : extracted
}

/** Runs `fn` in the trace of a task, so that `trace.getActiveSpan()` inside it is the span that the carrier names. */
export function withTaskTrace<T>(carrier: TraceCarrier, fn: () => T): T {
  return context.with(extractTaskTrace(carrier), fn)
}

/** Whether spans below this carrier are recorded. */
export function isTraced(carrier: TraceCarrier): boolean {
  const parent = trace.getSpanContext(extractTrace(carrier))
  return parent !== undefined && (parent.traceFlags & TraceFlags.SAMPLED) !== 0
}

/** The same place in the same trace, but nothing below it is recorded (log lines still carry the trace id). */
export function unsampled(carrier: TraceCarrier): TraceCarrier {
  const from = extractTrace(carrier)
  const parent = trace.getSpanContext(from)
  if (parent === undefined) return {}
  return injectTrace(trace.setSpanContext(from, { ...parent, traceFlags: parent.traceFlags & ~TraceFlags.SAMPLED }))
}

/** The carrier as environment variables, for hops that have no message, such as sbatch. */
export function traceToEnv(carrier: TraceCarrier): Record<string, string> {
  return Object.fromEntries(Object.entries(carrier).map(([key, value]) => [key.toUpperCase(), value]))
}

/** The carrier that `traceToEnv` wrote; empty when the environment has none. */
export function traceFromEnv(env: Readonly<Record<string, string | undefined>>): TraceCarrier {
  const carrier: TraceCarrier = {}
  for (const key of ['traceparent', 'tracestate', 'baggage']) {
    const value = env[key.toUpperCase()]
    if (value) carrier[key] = value
  }
  return carrier
}

function withAllowedBaggage(from: Context): Context {
  const carried = propagation.getBaggage(from)
  if (carried === undefined) return from
  allowedBaggage ??= baggageKeysOf(process.env['COSTATE_BAGGAGE_KEYS'])
  if (allowedBaggage === 'all') return from
  const kept: Parameters<typeof propagation.createBaggage>[0] = {}
  for (const [key, entry] of carried.getAllEntries()) if (allowedBaggage.has(key)) kept[key] = entry
  return propagation.setBaggage(from, propagation.createBaggage(kept))
}

function baggageKeysOf(list: string | undefined): ReadonlySet<string> | 'all' {
  if (list?.trim() === '*') return 'all'
  return new Set((list ?? '').split(',').map((key) => key.trim()))
}
