import { createReadStream } from 'node:fs'
import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { createInterface } from 'node:readline'

import { attribute } from './attributes.js'
import { decodeSpans, type OtlpSpan } from './otlp-decoding.js'
import { decodeAttributes, nanosToMs } from './otlp-value.js'
import { traceFileSuffix, traceFolder } from './trace-folder.js'

/** A span as it is read back from a run folder. Ids are lower-case hex, times epoch ms. */
export interface SpanRecord {
  readonly traceId: string
  readonly spanId: string
  readonly parentSpanId?: string
  readonly name: string
  readonly service: string
  readonly instanceId: string
  readonly startMs: number
  readonly endMs: number
  /** Lists and nested values as JSON text. */
  readonly attributes: Record<string, string | number | boolean>
  readonly links: { traceId: string; spanId: string }[]
  /** What went wrong, when the span failed. */
  readonly error?: string
}

/**
 * All spans in the OTLP-JSON files of a run folder, or those of one trace, by start time. Every span comes once, however often it
 * was written; lines that a crash has torn are left out. A run folder without traces has none; other read errors are thrown.
 */
export async function readRunSpans(runDir: string, filter: { traceId?: string } = {}): Promise<SpanRecord[]> {
  const folder = join(runDir, traceFolder)
  const spans = new Map<string, SpanRecord>()
  for (const name of await traceFilesIn(folder)) {
    // A file may be rotated away between the listing and the reading when the run is still going on.
    const stream = createReadStream(join(folder, name), 'utf8')
    try {
      for await (const line of createInterface({ input: stream, crlfDelay: Infinity })) {
        for (const span of decodeSpans(line)) {
          const record = toRecord(span)
          if (filter.traceId !== undefined && record.traceId !== filter.traceId.toLowerCase()) continue
          spans.set(`${record.traceId}-${record.spanId}`, record)
        }
      }
    } catch (error) {
      if (!isMissing(error)) throw error
    }
  }
  return [...spans.values()].sort((a, b) => a.startMs - b.startMs)
}

async function traceFilesIn(folder: string): Promise<string[]> {
  try {
    return (await readdir(folder)).filter((name) => name.endsWith(traceFileSuffix)).sort()
  } catch (error) {
    if (isMissing(error)) return []
    throw error
  }
}

function isMissing(error: unknown): boolean {
  return (error as NodeJS.ErrnoException).code === 'ENOENT'
}

function toRecord(span: OtlpSpan): SpanRecord {
  const resource = decodeAttributes(span.resourceAttributes)
  const error = span.statusCode === 2 ? span.statusMessage || 'failed without a message' : undefined
  return {
    traceId: span.traceId.toLowerCase(),
    spanId: span.spanId.toLowerCase(),
    ...(span.parentSpanId === undefined ? {} : { parentSpanId: span.parentSpanId.toLowerCase() }),
    name: span.name,
    service: textOf(resource[attribute.serviceName]),
    instanceId: textOf(resource[attribute.serviceInstanceId]),
    startMs: nanosToMs(span.startTimeUnixNano),
    endMs: nanosToMs(span.endTimeUnixNano),
    attributes: Object.fromEntries(
      Object.entries(decodeAttributes(span.attributes)).map(([key, value]) => [
        key,
        typeof value === 'object' ? JSON.stringify(value) : value,
      ]),
    ),
    links: span.links.map(({ traceId, spanId }) => ({ traceId: traceId.toLowerCase(), spanId: spanId.toLowerCase() })),
    ...(error === undefined ? {} : { error }),
  }
}

function textOf(value: unknown): string {
  return typeof value === 'string' ? value : 'unknown'
}
