import { SpanKind } from '@opentelemetry/api'
import { JsonTraceSerializer } from '@opentelemetry/otlp-transformer'
import { resourceFromAttributes } from '@opentelemetry/resources'
import {
  BasicTracerProvider,
  InMemorySpanExporter,
  type ReadableSpan,
  SimpleSpanProcessor,
} from '@opentelemetry/sdk-trace-base'
import { expect, test } from 'vitest'

import { decodeSpans } from './otlp-decoding.js'
import { encodeSpans } from './otlp-encoding.js'
import { decodeAttributes } from './otlp-value.js'

function finishSpan(attributes: Record<string, unknown>): ReadableSpan[] {
  const exporter = new InMemorySpanExporter()
  const provider = new BasicTracerProvider({
    resource: resourceFromAttributes({ 'service.name': 'worker' }),
    spanProcessors: [new SimpleSpanProcessor(exporter)],
  })
  const span = provider.getTracer('costate').startSpan('run', {
    kind: SpanKind.CONSUMER,
    startTime: [1_700_000_000, 123_456_789],
    attributes: attributes as never,
    links: [{ context: { traceId: 'ab'.repeat(16), spanId: 'cd'.repeat(8), traceFlags: 1 } }],
  })
  span.addEvent('iteration', { objective: 0.5 }, [1_700_000_000, 200_000_000])
  span.end([1_700_000_001, 1])
  return exporter.getFinishedSpans()
}

interface WrittenSpan {
  traceId: string
  spanId: string
  attributes: { key: string; value: unknown }[]
}

function writtenSpan(line: string): WrittenSpan {
  const request = JSON.parse(line) as { resourceSpans: [{ scopeSpans: [{ spans: [WrittenSpan] }] }] }
  return request.resourceSpans[0].scopeSpans[0].spans[0]
}

test('is what the official serializer writes, but for 64-bit integers, which proto3 JSON has as strings', () => {
  const spans = finishSpan({ text: 'a', ratio: 0.5, flag: true, list: ['x', 'y'] })
  expect(encodeSpans(spans)).toBe(Buffer.from(JsonTraceSerializer.serializeRequest(spans)!).toString())
})

test('ids are hex, times are nanoseconds as strings, kinds are numbers', () => {
  const span = writtenSpan(encodeSpans(finishSpan({})))
  expect(span.traceId).toMatch(/^[0-9a-f]{32}$/)
  expect(span.spanId).toMatch(/^[0-9a-f]{16}$/)
  expect(span).toMatchObject({
    startTimeUnixNano: '1700000000123456789',
    endTimeUnixNano: '1700000001000000001',
    kind: 5,
    links: [{ traceId: 'ab'.repeat(16), spanId: 'cd'.repeat(8) }],
    events: [{ name: 'iteration', timeUnixNano: '1700000000200000000' }],
  })
})

test('numbers that an int64 or JSON cannot hold come back as they were', () => {
  const numbers = { count: 3, huge: 1e300, nan: NaN, infinite: -Infinity, list: [1, 2.5, 1e20], big: 2 ** 53 - 1 }
  const line = encodeSpans(finishSpan(numbers))
  const values = Object.fromEntries(writtenSpan(line).attributes.map(({ key, value }) => [key, value]))
  expect(values).toMatchObject({
    count: { intValue: '3' },
    huge: { doubleValue: 1e300 },
    nan: { doubleValue: 'NaN' },
    infinite: { doubleValue: '-Infinity' },
    big: { intValue: '9007199254740991' },
  })
  expect(decodeAttributes(decodeSpans(line)[0]!.attributes)).toEqual(numbers)
})
