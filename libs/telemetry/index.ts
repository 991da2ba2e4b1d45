export { activeTelemetry, type SpanCounts, type Telemetry } from './active-telemetry.js'
export { attribute, schemaUrl, scopeName, stage } from './attributes.js'
export { bindIds, createLogger, type LoggedIds, type Logger, type LoggerOptions } from './logger.js'
export { startServiceTelemetry } from './service-telemetry.js'
export { createSpanBudget, type SpanBudget } from './span-budget.js'
export {
  failSpan,
  type FinishedSpan,
  linkLimit,
  recordSpan,
  type SpanOptions,
  type SpanParent,
  startSpan,
  timeSpan,
  withSpan,
} from './spans.js'
export { startTelemetry, type TelemetryOptions } from './telemetry.js'
export { acceptThreadLine } from './thread-spans.js'
export { registerThreadTelemetry } from './thread/thread-telemetry.js'
export {
  allowBaggage,
  carrierOf,
  extractTaskTrace,
  extractTrace,
  injectTrace,
  isTraced,
  type TraceCarrier,
  traceFromEnv,
  traceToEnv,
  unsampled,
  withTaskTrace,
} from './trace-carrier.js'
export { readRunSpans, type SpanRecord } from './trace-file.js'
export { renderTraceTree, type RenderOptions } from './trace-rendering.js'
export { buildTraceTree, type TraceNode } from './trace-tree.js'
