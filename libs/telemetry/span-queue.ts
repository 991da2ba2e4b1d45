import { TraceFlags } from '@opentelemetry/api'
import { ExportResultCode } from '@opentelemetry/core'
import {
  BatchSpanProcessor,
  type ReadableSpan,
  type SpanExporter,
  type SpanProcessor,
} from '@opentelemetry/sdk-trace-base'

import type { SpanCounts } from './active-telemetry.js'

/** A span processor that says what became of the spans. */
export interface SpanQueue extends SpanProcessor {
  counts(): SpanCounts
}

/**
 * The SDK's batch processor behind an exact bound: spans that are waiting or being exported are never more than
 * `maxWaiting`, and what comes on top is dropped and counted (the SDK's own counter is reset at will and not readable).
 */
export function createSpanQueue(
  exporter: SpanExporter,
  options: { maxWaiting?: number; batchDelayMs?: number } = {},
): SpanQueue {
  const { maxWaiting = 8192, batchDelayMs = 1000 } = options
  const counts = { ended: 0, exported: 0, failed: 0, dropped: 0 }
  let closed = false

  const counting: SpanExporter = {
    export(spans, done) {
      exporter.export(spans, (result) => {
        if (result.code === ExportResultCode.SUCCESS) counts.exported += spans.length
        else counts.failed += spans.length
        done(result)
      })
    },
    shutdown: () => exporter.shutdown(),
  }
  const batches = new BatchSpanProcessor(counting, {
    maxQueueSize: maxWaiting,
    maxExportBatchSize: Math.min(512, maxWaiting),
    scheduledDelayMillis: batchDelayMs,
    exportTimeoutMillis: 10_000,
  })

  return {
    counts: () => ({ ...counts }),
    onStart: () => undefined,
    onEnd(span: ReadableSpan) {
      if (closed || (span.spanContext().traceFlags & TraceFlags.SAMPLED) === 0) return
      const waiting = counts.ended - counts.exported - counts.failed - counts.dropped
      counts.ended += 1
      if (waiting >= maxWaiting) counts.dropped += 1
      else batches.onEnd(span)
    },
    async forceFlush() {
      await batches.forceFlush()
      await exporter.forceFlush?.()
    },
    async shutdown() {
      closed = true
      await batches.shutdown()
    },
  }
}
