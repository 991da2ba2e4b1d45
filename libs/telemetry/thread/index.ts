export { registerThreadTelemetry } from './thread-telemetry.js'
export { extractTaskTrace, injectTrace, isTraced, type TraceCarrier, withTaskTrace } from '../trace-carrier.js'
export { withSpan } from '../spans.js'
