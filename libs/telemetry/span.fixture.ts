import type { SpanRecord } from './trace-file.js'

/** A span of trace `t` whose name is its id up to the first dash. */
export function span(spanId: string, startMs: number, endMs: number, more: Partial<SpanRecord> = {}): SpanRecord {
  const name = spanId.split('-')[0]!
  return {
    traceId: 't',
    spanId,
    name,
    service: 'worker',
    instanceId: 'w-1',
    startMs,
    endMs,
    attributes: {},
    links: [],
    ...more,
  }
}
