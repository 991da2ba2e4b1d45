import { isMainThread } from 'node:worker_threads'

// Threads inherit --import: without this each of them would start an SDK of its own on the same file.
if (isMainThread) {
  const { hostname } = await import('node:os')
  const { startTelemetry } = await import('./telemetry.js')
  const { warnOnce } = await import('./warning.js')
  const env = process.env
  const runDir = env['COSTATE_RUN_DIR']
  const otlpEndpoint = env['OTEL_EXPORTER_OTLP_TRACES_ENDPOINT'] ?? env['OTEL_EXPORTER_OTLP_ENDPOINT']
  try {
    startTelemetry({
      service: env['COSTATE_SERVICE'] ?? 'costate',
      instanceId: env['COSTATE_INSTANCE'] ?? `${hostname()}-${process.pid}`,
      ...(runDir ? { runDir } : {}),
      ...(otlpEndpoint ? { otlpEndpoint } : {}),
      registerGlobally: true,
    })
  } catch (error) {
    warnOnce('telemetry could not start, the process goes on without traces', error)
  }
}
