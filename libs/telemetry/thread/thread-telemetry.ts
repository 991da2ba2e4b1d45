import { createRequire } from 'node:module'

import {
  context,
  INVALID_SPAN_CONTEXT,
  isSpanContextValid,
  type Span,
  type SpanOptions,
  trace,
  TraceFlags,
  type Tracer,
  type TracerProvider,
} from '@opentelemetry/api'
import { isTracingSuppressed } from '@opentelemetry/core/build/src/trace/suppress-tracing.js'

import { ensureContextManager } from '../context-manager.js'
import { encodeSpans } from '../otlp-encoding.js'
import { createSpanBudget } from '../span-budget.js'

const require = createRequire(import.meta.url)

/**
 * Gives user code inside a worker thread the active span of its task (`trace.getActiveSpan()`, see `withTaskTrace`) and a
 * tracer provider. Each span of user code is handed to `post` when it ends, as one OTLP-JSON line for `acceptThreadLine` on the
 * main side: at once, because the thread may be terminated any moment. More than `spansPerSecond` (1,000 unless told) are
 * dropped. The SDK (about 70 ms and 4 MB per thread) is loaded only when user code starts a span that is recorded.
 */
export function registerThreadTelemetry(post: (line: string) => void, options: { spansPerSecond?: number } = {}): void {
  ensureContextManager()
  const budget = createSpanBudget({ tasksPerSecond: options.spansPerSecond ?? 1000 })
  let provider: TracerProvider | undefined
  const load = (): TracerProvider => (provider ??= loadProvider(post, (nowMs) => budget.admit(nowMs)))
  trace.setGlobalTracerProvider({
    getTracer: (name, version, tracerOptions) => createLazyTracer(() => load().getTracer(name, version, tracerOptions)),
  })
}

function loadProvider(post: (line: string) => void, admit: (nowMs: number) => boolean): TracerProvider {
  const sdk = require('@opentelemetry/sdk-trace-base') as typeof import('@opentelemetry/sdk-trace-base')
  return new sdk.BasicTracerProvider({
    sampler: new sdk.ParentBasedSampler({ root: new sdk.AlwaysOnSampler() }),
    spanProcessors: [
      {
        onStart: () => undefined,
        onEnd(span) {
          if ((span.spanContext().traceFlags & TraceFlags.SAMPLED) === 0 || !admit(performance.now())) return
          try {
            post(encodeSpans([span]))
          } catch {
            // The main side is gone; the task goes on.
          }
        },
        forceFlush: () => Promise.resolve(),
        shutdown: () => Promise.resolve(),
      },
    ],
  })
}

/** A tracer that answers for unsampled and untraced parents itself, and asks for the real one when a span will be recorded. */
function createLazyTracer(load: () => Tracer): Tracer {
  let loaded: Tracer | undefined
  const startSpan = (name: string, options?: SpanOptions, within = context.active()): Span => {
    if (isTracingSuppressed(within)) return trace.wrapSpanContext(INVALID_SPAN_CONTEXT)
    const parent = options?.root === true ? undefined : trace.getSpanContext(within)
    const unsampled = parent && isSpanContextValid(parent) && (parent.traceFlags & TraceFlags.SAMPLED) === 0
    if (unsampled) return trace.wrapSpanContext(parent)
    return (loaded ??= load()).startSpan(name, options, within)
  }
  const startActiveSpan = (name: string, ...rest: unknown[]): unknown => {
    const fn = rest.pop() as (span: Span) => unknown
    const [options, within = context.active()] = rest as [SpanOptions?, ReturnType<typeof context.active>?]
    const span = startSpan(name, options, within)
    return context.with(trace.setSpan(within, span), fn, undefined, span)
  }
  return { startSpan, startActiveSpan: startActiveSpan }
}
