import {
  type Attributes,
  context,
  type Context,
  type HrTime,
  type Link,
  type Span,
  type SpanKind,
  type SpanOptions as ApiSpanOptions,
  SpanStatusCode,
  trace,
} from '@opentelemetry/api'

import { currentTracer } from './active-telemetry.js'
import { attribute } from './attributes.js'
import { runInContext } from './context-manager.js'
import { carrierOf, extractTaskTrace, extractTrace, type TraceCarrier } from './trace-carrier.js'

/** Where a span hangs: a context, or the carrier of an envelope (an empty one means "not traced": no span is made). */
export type SpanParent = Context | TraceCarrier

/** The SDK keeps 128 links per span; beyond that only their number is kept, in `costate.link.count`. */
export const linkLimit = 128

/** What may be said when a span starts. */
export interface SpanOptions {
  /** The active context unless given. */
  readonly parent?: SpanParent
  readonly kind?: SpanKind
  readonly attributes?: Attributes
  /** Related spans that are no parents: the inputs of a gather, the attempt before this one. */
  readonly links?: readonly (TraceCarrier | Link)[]
  /** Epoch ms; now unless given. */
  readonly startMs?: number
}

/** A span with known ends, for things that happened elsewhere or between two events. */
export interface FinishedSpan extends SpanOptions {
  readonly name: string
  readonly parent: SpanParent
  /** Epoch ms. */
  readonly startMs: number
  /** Epoch ms; the SDK takes an end before the start (two clocks) as the start. */
  readonly endMs: number
  /** What went wrong; marks the span as failed. */
  readonly error?: string
}

/**
 * Records a span that is already over (queue wait, a run inside a thread) and returns its carrier, so that children can hang
 * below it. Where the parent is unsampled or not traced nothing is recorded.
 */
export function recordSpan(finished: FinishedSpan): TraceCarrier {
  const parent = contextOf(finished.parent)
  const span = currentTracer().startSpan(finished.name, toApiOptions(finished), parent)
  if (finished.error !== undefined) setError(span, finished.error)
  span.end(toHrTime(finished.endMs))
  return carrierOf(span, parent)
}

/** Starts a span that the caller ends; it is not the active one. `carrierOf(span)` is its carrier. */
export function startSpan(name: string, options: SpanOptions = {}): Span {
  return currentTracer().startSpan(name, toApiOptions(options), contextOf(options.parent))
}

/**
 * Runs `fn` with a new span active, and ends the span when `fn` returns or its promise settles. What `fn` throws marks the
 * span as failed and is thrown on.
 */
export function withSpan<T>(name: string, options: SpanOptions, fn: (span: Span) => T): T {
  const parent = contextOf(options.parent)
  const span = currentTracer().startSpan(name, toApiOptions(options), parent)
  const inside = trace.isSpanContextValid(span.spanContext()) ? trace.setSpan(parent, span) : parent
  return endWith(span, () => runInContext(inside, fn, span))
}

/**
 * The same without the span being the active one: no spans hang below it, and the promises of `fn`, which may be very many,
 * cost what promises cost.
 */
export function timeSpan<T>(name: string, options: SpanOptions, fn: (span: Span) => T): T {
  const span = startSpan(name, options)
  return endWith(span, () => fn(span))
}

function endWith<T>(span: Span, run: () => T): T {
  const fail = (error: unknown): never => {
    failSpan(span, error)
    span.end()
    throw error
  }
  let result: T
  try {
    result = run()
  } catch (error) {
    return fail(error)
  }
  if (!isPromiseLike(result)) {
    span.end()
    return result
  }
  const settled = result.then((value) => {
    span.end()
    return value
  }, fail)
  return settled as T
}

/** Marks a span as failed by what was caught. */
export function failSpan(span: Span, error: unknown): void {
  const cause = error instanceof Error ? error : new Error(String(error))
  span.setAttribute(attribute.errorType, cause.name)
  span.recordException(cause)
  setError(span, cause.message)
}

function setError(span: Span, message: string): void {
  span.setStatus({ code: SpanStatusCode.ERROR, message: message.slice(0, 1024) })
}

function contextOf(parent: SpanParent | undefined): Context {
  if (parent === undefined) return context.active()
  return isContext(parent) ? parent : extractTaskTrace(parent)
}

function isContext(parent: SpanParent): parent is Context {
  return typeof parent['getValue'] === 'function'
}

function toApiOptions(options: SpanOptions): ApiSpanOptions {
  const links = (options.links ?? []).map(toLink).filter((link) => link !== undefined)
  const attributes =
    links.length > linkLimit ? { ...options.attributes, [attribute.linkCount]: links.length } : options.attributes
  return {
    ...(options.kind === undefined ? {} : { kind: options.kind }),
    ...(attributes === undefined ? {} : { attributes }),
    ...(links.length === 0 ? {} : { links: links.slice(0, linkLimit) }),
    ...(options.startMs === undefined ? {} : { startTime: toHrTime(options.startMs) }),
  }
}

function toLink(link: TraceCarrier | Link): Link | undefined {
  if (typeof link.context === 'object') return link as Link
  const linked = trace.getSpanContext(extractTrace(link as TraceCarrier))
  return linked && { context: linked }
}

// As a pair, because the SDK takes a number below its uptime for a reading of performance.now().
function toHrTime(epochMs: number): HrTime {
  const seconds = Math.floor(epochMs / 1000)
  return [seconds, Math.min(999_999_999, Math.round((epochMs - seconds * 1000) * 1e6))]
}

function isPromiseLike(value: unknown): value is PromiseLike<unknown> {
  return typeof (value as PromiseLike<unknown> | null | undefined)?.then === 'function'
}
