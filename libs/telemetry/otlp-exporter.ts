import { type ExportResult, ExportResultCode } from '@opentelemetry/core'
import type { ReadableSpan, SpanExporter } from '@opentelemetry/sdk-trace-base'

import type { LastMomentExporter } from './file-exporter.js'
import { warnOnce } from './warning.js'

/**
 * Sends spans to a collector over OTLP/gRPC. The official exporter (with its own copy of the metrics and logs SDKs: 39 ms on
 * top of gRPC) is loaded by the first export, so a process that ends no span never pays for it. Headers, certificates and
 * compression are the exporter's own OTEL_EXPORTER_OTLP_* variables. A collector that is away costs the spans of that time.
 */
export function createOtlpExporter(endpoint: string, env: NodeJS.ProcessEnv = process.env): LastMomentExporter {
  let loading: Promise<SpanExporter> | undefined
  const inFlight = new Set<Promise<void>>()

  const load = async (): Promise<SpanExporter> => {
    const { OTLPTraceExporter } = await import('@opentelemetry/exporter-trace-otlp-grpc')
    const timeoutSet = env['OTEL_EXPORTER_OTLP_TIMEOUT'] ?? env['OTEL_EXPORTER_OTLP_TRACES_TIMEOUT']
    // The official default of 10 s would hold up the end of a process by as much when the collector does not answer.
    return new OTLPTraceExporter({ url: endpoint, ...(timeoutSet === undefined ? { timeoutMillis: 3000 } : {}) })
  }

  const send = async (spans: ReadableSpan[], done: (result: ExportResult) => void): Promise<void> => {
    const result = await (loading ??= load()).then(
      (exporter) => new Promise<ExportResult>((resolve) => exporter.export(spans, resolve)),
      (error: unknown): ExportResult => ({ code: ExportResultCode.FAILED, error: error as Error }),
    )
    if (result.code !== ExportResultCode.SUCCESS)
      warnOnce(`spans are lost: they cannot be sent to the collector at ${endpoint}`, result.error)
    done(result)
  }

  return {
    export(spans, done) {
      const sending = send(spans, done)
      inFlight.add(sending)
      void sending.finally(() => inFlight.delete(sending))
    },
    async forceFlush() {
      await Promise.all(inFlight)
    },
    async shutdown() {
      await Promise.all(inFlight)
      await (await loading)?.shutdown()
    },
    drainSync() {
      // Nothing can be sent without the event loop.
    },
  }
}
