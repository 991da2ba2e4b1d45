import { hostname } from 'node:os'

import { startTelemetry } from './telemetry.js'
import { warnOnce } from './warning.js'

/**
 * Telemetry of a service process, as its environment says: COSTATE_INSTANCE names it, its spans go to
 * OTEL_EXPORTER_OTLP_ENDPOINT, else into COSTATE_RUN_DIR. A service whose telemetry cannot start serves without.
 */
export function startServiceTelemetry(service: string, env: NodeJS.ProcessEnv = process.env): void {
  const runDir = env['COSTATE_RUN_DIR']
  const otlpEndpoint = env['OTEL_EXPORTER_OTLP_TRACES_ENDPOINT'] ?? env['OTEL_EXPORTER_OTLP_ENDPOINT']
  try {
    startTelemetry({
      service,
      instanceId: env['COSTATE_INSTANCE'] ?? `${hostname()}-${process.pid}`,
      ...(runDir ? { runDir } : {}),
      ...(otlpEndpoint ? { otlpEndpoint } : {}),
      registerGlobally: true,
    })
  } catch (error) {
    warnOnce('telemetry could not start, the process goes on without traces', error)
  }
}
