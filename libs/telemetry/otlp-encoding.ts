import { createRequire } from 'node:module'

import type { ReadableSpan } from '@opentelemetry/sdk-trace-base'

import type { OtlpAnyValue } from './otlp-value.js'

type Transformer = typeof import('@opentelemetry/otlp-transformer/build/src/trace/internal.js') &
  typeof import('@opentelemetry/otlp-transformer/build/src/common/utils.js')

const require = createRequire(import.meta.url)
let transformer: Transformer | undefined

// Loaded by file and with the first export: the index of the package brings the metrics and logs SDKs along (176 modules,
// 53 ms, 4 MB), of which traces as JSON need six files; and a process or thread that ends no span needs none.
function loadTransformer(): Transformer {
  return (transformer ??= {
    ...(require('@opentelemetry/otlp-transformer/build/src/trace/internal.js') as Transformer),
    ...(require('@opentelemetry/otlp-transformer/build/src/common/utils.js') as Transformer),
  })
}

/** The spans as one ExportTraceServiceRequest in the official OTLP/JSON encoding, without a newline. */
export function encodeSpans(spans: ReadableSpan[]): string {
  const { createExportTraceServiceRequest, JSON_ENCODER } = loadTransformer()
  const request = createExportTraceServiceRequest(spans, JSON_ENCODER)
  for (const { resource, scopeSpans } of request.resourceSpans ?? []) {
    repairNumbers(resource?.attributes)
    for (const span of scopeSpans.flatMap((scope) => scope.spans ?? [])) {
      repairNumbers(span.attributes)
      for (const part of [...span.events, ...span.links]) repairNumbers(part.attributes)
    }
  }
  return JSON.stringify(request)
}

// The transformer calls every number without a fraction an int64, 1e300 too, and leaves NaN and infinities to
// JSON.stringify, which makes them null. Numeric work produces both, and a collector may refuse the batch for them.
function repairNumbers(attributes: readonly { value: unknown }[] | undefined): void {
  for (const entry of attributes ?? []) repairValue(entry.value as OtlpAnyValue)
}

function repairValue(value: OtlpAnyValue): void {
  if (typeof value.intValue === 'number') {
    if (Number.isSafeInteger(value.intValue)) {
      value.intValue = String(value.intValue)
    } else {
      value.doubleValue = value.intValue
      delete value.intValue
    }
  }
  if (typeof value.doubleValue === 'number' && !Number.isFinite(value.doubleValue)) {
    value.doubleValue = String(value.doubleValue)
  }
  for (const element of value.arrayValue?.values ?? []) repairValue(element)
  repairNumbers(value.kvlistValue?.values)
}
