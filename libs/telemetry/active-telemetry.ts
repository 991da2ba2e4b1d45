import { trace, type Tracer } from '@opentelemetry/api'

import { scopeName } from './attributes.js'

/** What became of the spans of a process: `ended = exported + failed + dropped + waiting`. */
export interface SpanCounts {
  readonly ended: number
  readonly exported: number
  /** Lost because a write or an export failed. */
  readonly failed: number
  /** Lost because the queue was full. */
  readonly dropped: number
}

/** The running telemetry of a process. Nothing in it ever throws or rejects. */
export interface Telemetry {
  /** Resolves when every span that has ended is written or given up. */
  flush(): Promise<void>
  /** Flushes, syncs the file and stops; gives up after `timeoutMs` (2,000 unless told). Later calls return the first. */
  shutdown(timeoutMs?: number): Promise<void>
  counts(): SpanCounts
}

/** Telemetry as this library sees it. */
export interface StartedTelemetry extends Telemetry {
  readonly tracer: Tracer
  /** Takes a finished span that a thread has sent as an OTLP-JSON line. */
  acceptLine(line: string): void
}

const started: StartedTelemetry[] = []

/** The telemetry that was started last and is not shut down, or nothing. */
export function activeTelemetry(): Telemetry | undefined {
  return started.at(-1)
}

/** The same with the parts that only this library uses. */
export function currentTelemetry(): StartedTelemetry | undefined {
  return started.at(-1)
}

/** Makes this one the active telemetry. */
export function activateTelemetry(telemetry: StartedTelemetry): void {
  started.push(telemetry)
}

/** Takes it out; the one started before it, if any, is active again. */
export function deactivateTelemetry(telemetry: StartedTelemetry): void {
  const index = started.indexOf(telemetry)
  if (index >= 0) started.splice(index, 1)
}

/** Where Costate's own spans are made: our provider, else whatever is registered globally (in a thread, the thread's). */
export function currentTracer(): Tracer {
  return currentTelemetry()?.tracer ?? trace.getTracer(scopeName)
}
