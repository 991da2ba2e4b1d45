import { type Attributes, type Link, type SpanContext, SpanKind, SpanStatusCode, TraceFlags } from '@opentelemetry/api'
import type { Resource } from '@opentelemetry/resources'
import type { ReadableSpan } from '@opentelemetry/sdk-trace-base'

import { currentTelemetry } from './active-telemetry.js'
import { decodeSpans, type OtlpSpan } from './otlp-decoding.js'
import { decodeAttributes, nanosToHrTime } from './otlp-value.js'

/**
 * Takes a line that a thread has posted (see `registerThreadTelemetry`) into this process's trace. Never throws: what is no
 * span is left out, and the queue bounds what a flood of user spans can cost.
 */
export function acceptThreadLine(line: string): void {
  currentTelemetry()?.acceptLine(line)
}

/** The spans of a thread's line as finished SDK spans of this process, so that they take the same way out as its own. */
export function readThreadSpans(line: string, resource: Resource): ReadableSpan[] {
  return decodeSpans(line).map((span) => toReadableSpan(span, resource))
}

// By their numbers in OTLP, where kinds count from 1 because 0 is "unspecified".
const kinds = [
  SpanKind.INTERNAL,
  SpanKind.INTERNAL,
  SpanKind.SERVER,
  SpanKind.CLIENT,
  SpanKind.PRODUCER,
  SpanKind.CONSUMER,
]
const statusCodes = [SpanStatusCode.UNSET, SpanStatusCode.OK, SpanStatusCode.ERROR]

function toReadableSpan(span: OtlpSpan, resource: Resource): ReadableSpan {
  const own = contextOf(span.traceId, span.spanId)
  const startTime = nanosToHrTime(span.startTimeUnixNano)
  const endTime = nanosToHrTime(span.endTimeUnixNano)
  return {
    name: span.name,
    kind: kinds[span.kind] ?? SpanKind.INTERNAL,
    spanContext: () => own,
    ...(span.parentSpanId === undefined ? {} : { parentSpanContext: contextOf(span.traceId, span.parentSpanId) }),
    startTime,
    endTime,
    duration: [endTime[0] - startTime[0], endTime[1] - startTime[1]],
    status: {
      code: statusCodes[span.statusCode] ?? SpanStatusCode.UNSET,
      ...(span.statusMessage === undefined ? {} : { message: span.statusMessage }),
    },
    attributes: decodeAttributes(span.attributes) satisfies Attributes,
    links: span.links.map((link): Link => ({
      context: contextOf(link.traceId, link.spanId),
      attributes: decodeAttributes(link.attributes),
    })),
    events: span.events.map(({ name, timeUnixNano, attributes }) => ({
      name,
      time: nanosToHrTime(timeUnixNano),
      attributes: decodeAttributes(attributes),
    })),
    ended: true,
    resource,
    instrumentationScope: span.scope,
    droppedAttributesCount: 0,
    droppedEventsCount: 0,
    droppedLinksCount: 0,
  }
}

function contextOf(traceId: string, spanId: string): SpanContext {
  return { traceId, spanId, traceFlags: TraceFlags.SAMPLED }
}
