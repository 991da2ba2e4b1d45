import { isRecord, type OtlpKeyValue } from './otlp-value.js'

/** A span of an OTLP-JSON request, checked. Times are nanoseconds since the epoch. */
export interface OtlpSpan {
  readonly traceId: string
  readonly spanId: string
  readonly parentSpanId: string | undefined
  readonly name: string
  readonly kind: number
  readonly startTimeUnixNano: string | number
  readonly endTimeUnixNano: string | number
  readonly attributes: readonly OtlpKeyValue[]
  readonly events: readonly OtlpEvent[]
  readonly links: readonly OtlpLink[]
  readonly statusCode: number
  readonly statusMessage: string | undefined
  /** Where it was found. */
  readonly resourceAttributes: readonly OtlpKeyValue[]
  readonly scope: { readonly name: string; readonly version?: string }
}

/** Something that happened at one moment of a span. */
export interface OtlpEvent {
  readonly name: string
  readonly timeUnixNano: string | number
  readonly attributes: readonly OtlpKeyValue[]
}

/** A span that this one is related to. */
export interface OtlpLink {
  readonly traceId: string
  readonly spanId: string
  readonly attributes: readonly OtlpKeyValue[]
}

/**
 * The spans of one ExportTraceServiceRequest in OTLP/JSON. Never throws: a line that is torn or is no request has none, and
 * what is no span in it is left out.
 */
export function decodeSpans(line: string): OtlpSpan[] {
  const found: OtlpSpan[] = []
  for (const resourceSpans of recordsOf(parseJson(line), 'resourceSpans')) {
    const resource = resourceSpans['resource']
    const resourceAttributes = isRecord(resource) ? attributesOf(resource) : []
    for (const scopeSpans of recordsOf(resourceSpans, 'scopeSpans')) {
      const scope = scopeOf(scopeSpans['scope'])
      for (const raw of recordsOf(scopeSpans, 'spans')) {
        const span = parseSpan(raw, resourceAttributes, scope)
        if (span) found.push(span)
      }
    }
  }
  return found
}

function parseJson(line: string): unknown {
  try {
    return JSON.parse(line)
  } catch {
    return undefined
  }
}

function parseSpan(
  raw: Record<string, unknown>,
  resourceAttributes: readonly OtlpKeyValue[],
  scope: OtlpSpan['scope'],
): OtlpSpan | undefined {
  const { traceId, spanId, parentSpanId, name, kind, startTimeUnixNano, endTimeUnixNano, status } = raw
  if (!isHex(traceId, 32) || !isHex(spanId, 16) || typeof name !== 'string') return undefined
  if (!isNanos(startTimeUnixNano) || !isNanos(endTimeUnixNano)) return undefined
  const { code, message } = isRecord(status) ? status : {}
  return {
    traceId,
    spanId,
    parentSpanId: isHex(parentSpanId, 16) ? parentSpanId : undefined,
    name,
    kind: typeof kind === 'number' ? kind : 0,
    startTimeUnixNano,
    endTimeUnixNano,
    attributes: attributesOf(raw),
    events: recordsOf(raw, 'events').flatMap(parseEvent),
    links: recordsOf(raw, 'links').flatMap(parseLink),
    statusCode: typeof code === 'number' ? code : 0,
    statusMessage: typeof message === 'string' ? message : undefined,
    resourceAttributes,
    scope,
  }
}

function parseEvent(raw: Record<string, unknown>): OtlpEvent[] {
  const { name, timeUnixNano } = raw
  if (typeof name !== 'string' || !isNanos(timeUnixNano)) return []
  return [{ name, timeUnixNano, attributes: attributesOf(raw) }]
}

function parseLink(raw: Record<string, unknown>): OtlpLink[] {
  const { traceId, spanId } = raw
  if (!isHex(traceId, 32) || !isHex(spanId, 16)) return []
  return [{ traceId, spanId, attributes: attributesOf(raw) }]
}

function scopeOf(scope: unknown): OtlpSpan['scope'] {
  const { name, version } = isRecord(scope) ? scope : {}
  return { name: typeof name === 'string' ? name : '', ...(typeof version === 'string' ? { version } : {}) }
}

function recordsOf(parent: unknown, key: string): Record<string, unknown>[] {
  const list = isRecord(parent) ? parent[key] : undefined
  return Array.isArray(list) ? list.filter(isRecord) : []
}

function attributesOf(parent: Record<string, unknown>): OtlpKeyValue[] {
  return recordsOf(parent, 'attributes').flatMap(parseKeyValue)
}

function parseKeyValue({ key, value }: Record<string, unknown>): OtlpKeyValue[] {
  return typeof key === 'string' && isRecord(value) ? [{ key, value }] : []
}

function isHex(value: unknown, digits: number): value is string {
  return typeof value === 'string' && value.length === digits && /^[0-9a-f]+$/i.test(value)
}

function isNanos(value: unknown): value is string | number {
  return typeof value === 'number'
    ? Number.isSafeInteger(value) && value >= 0
    : typeof value === 'string' && /^\d{1,20}$/.test(value)
}
