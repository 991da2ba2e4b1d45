import type { AttributeValue, HrTime } from '@opentelemetry/api'

/** An AnyValue of OTLP/JSON: 64-bit integers and non-finite doubles are strings, as proto3 JSON has it. */
export interface OtlpAnyValue {
  stringValue?: string | null
  boolValue?: boolean | null
  intValue?: number | string | null
  doubleValue?: number | string | null
  bytesValue?: string | null
  arrayValue?: { values?: OtlpAnyValue[] }
  kvlistValue?: { values?: OtlpKeyValue[] }
}

/** An attribute of OTLP/JSON. */
export interface OtlpKeyValue {
  key: string
  value: OtlpAnyValue
}

/** Whether the value is an object with keys. */
export function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** The value of one attribute; a list of scalars stays a list, what is nested deeper becomes JSON text. */
export function decodeValue(value: OtlpAnyValue): AttributeValue {
  if (typeof value.stringValue === 'string') return value.stringValue
  if (typeof value.boolValue === 'boolean') return value.boolValue
  if (value.intValue != null) return Number(value.intValue)
  if (value.doubleValue != null) return Number(value.doubleValue)
  if (typeof value.bytesValue === 'string') return value.bytesValue
  const elements = value.arrayValue?.values
  if (Array.isArray(elements)) {
    const decoded = elements.map(decodeValue)
    const [first] = decoded
    const alike = decoded.every((element) => typeof element === typeof first && typeof element !== 'object')
    return alike ? (decoded as string[] | number[] | boolean[]) : JSON.stringify(decoded)
  }
  const entries = value.kvlistValue?.values
  return Array.isArray(entries) ? JSON.stringify(decodeAttributes(entries)) : ''
}

/** The attributes as a plain record. */
export function decodeAttributes(list: readonly OtlpKeyValue[]): Record<string, AttributeValue> {
  return Object.fromEntries(list.map(({ key, value }) => [key, decodeValue(value)]))
}

/** Nanoseconds since the epoch as ms, exact to the microsecond. */
export function nanosToMs(nanos: string | number): number {
  return Number(BigInt(nanos) / 1000n) / 1000
}

/** Nanoseconds since the epoch as the SDK's pair of seconds and nanoseconds. */
export function nanosToHrTime(nanos: string | number): HrTime {
  const total = BigInt(nanos)
  return [Number(total / 1_000_000_000n), Number(total % 1_000_000_000n)]
}
