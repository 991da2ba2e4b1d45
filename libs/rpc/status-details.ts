import { BinaryReader, BinaryWriter } from '@bufbuild/protobuf/wire'
import { fitWireText } from './wire-text.js'

/** The trailer that carries a google.rpc.Status. */
export const DETAILS_KEY = 'grpc-status-details-bin'
export const DOMAIN = 'costate'

/** What we put into google.rpc.Status besides code and message: ErrorInfo, RetryInfo and BadRequest. */
export interface StatusDetails {
  readonly reason: string
  readonly metadata: Readonly<Record<string, string>>
  readonly retryDelayMs: number | undefined
  readonly fieldViolations: readonly FieldViolation[]
}

export interface FieldViolation {
  readonly field: string
  readonly description: string
}

/** All trailers together stay below 8 KiB (many peers refuse more): message 2, its copy 1.5, the rest 3 before base64. */
const MESSAGE_LIMIT_BYTES = 1_536
const DETAILS_LIMIT_BYTES = 2_304
const VALUE_LIMIT_BYTES = 512
const TYPE_PREFIX = 'type.googleapis.com/google.rpc.'

/** Encodes google.rpc.Status (google/rpc/status.proto, error_details.proto); what does not fit is left out. */
export function encodeStatus(code: number, message: string, details: StatusDetails): Uint8Array {
  const writer = new BinaryWriter().uint32(8).int32(code).uint32(18).string(fitWireText(message, MESSAGE_LIMIT_BYTES))
  let budget = DETAILS_LIMIT_BYTES
  const info = new BinaryWriter().uint32(10).string(fitWireText(details.reason, 64)).uint32(18).string(DOMAIN)
  for (const [key, value] of Object.entries(details.metadata)) {
    const entry = encodePair(fitWireText(key, 64), fitWireText(value, VALUE_LIMIT_BYTES))
    budget -= entry.length + 4
    if (budget > 0) info.uint32(26).bytes(entry)
  }
  writeAny(writer, 'ErrorInfo', info)
  if (details.retryDelayMs !== undefined) writeAny(writer, 'RetryInfo', encodeRetryInfo(details.retryDelayMs))
  const badRequest = new BinaryWriter()
  for (const { field, description } of details.fieldViolations) {
    const violation = encodePair(fitWireText(field, 128), fitWireText(description, VALUE_LIMIT_BYTES))
    budget -= violation.length + 4
    if (budget > 0) badRequest.uint32(10).bytes(violation)
  }
  if (details.fieldViolations.length > 0) writeAny(writer, 'BadRequest', badRequest)
  return writer.finish()
}

/** Reads what `encodeStatus` or any other server wrote. Undefined when the bytes are no google.rpc.Status. */
export function decodeStatusDetails(bytes: Uint8Array): StatusDetails | undefined {
  const details: { -readonly [K in keyof StatusDetails]: StatusDetails[K] } = {
    reason: '',
    metadata: {},
    retryDelayMs: undefined,
    fieldViolations: [],
  }
  try {
    for (const any of fieldsOf(bytes, 3)) {
      const [typeUrl, value] = readPair(any)
      const content = Buffer.from(value)
      if (text(typeUrl).endsWith('/google.rpc.ErrorInfo')) {
        details.reason = text(fieldsOf(content, 1)[0])
        const entries = fieldsOf(content, 3).map((entry) => readPair(entry).map(text) as [string, string])
        details.metadata = Object.fromEntries(entries)
      } else if (text(typeUrl).endsWith('/google.rpc.RetryInfo')) {
        details.retryDelayMs = decodeDurationMs(fieldsOf(content, 1)[0])
      } else if (text(typeUrl).endsWith('/google.rpc.BadRequest')) {
        details.fieldViolations = fieldsOf(content, 1).map((violation) => {
          const [field, description] = readPair(violation).map(text) as [string, string]
          return { field, description }
        })
      }
    }
  } catch {
    return undefined
  }
  return details
}

function writeAny(writer: BinaryWriter, type: string, content: BinaryWriter): void {
  const any = new BinaryWriter()
    .uint32(10)
    .string(TYPE_PREFIX + type)
    .uint32(18)
    .bytes(content.finish())
  writer.uint32(26).bytes(any.finish())
}

/** Map entries, violations and Any share a shape: two length-delimited fields, 1 and 2. */
function encodePair(first: string, second: string): Uint8Array {
  return new BinaryWriter().uint32(10).string(first).uint32(18).string(second).finish()
}

function readPair(bytes: Uint8Array): [Uint8Array, Uint8Array] {
  return [fieldsOf(bytes, 1).at(-1) ?? new Uint8Array(), fieldsOf(bytes, 2).at(-1) ?? new Uint8Array()]
}

function encodeRetryInfo(delayMs: number): BinaryWriter {
  const seconds = Math.floor(delayMs / 1000)
  const nanos = Math.round((delayMs - seconds * 1000) * 1e6)
  const duration = new BinaryWriter().uint32(8).int64(seconds).uint32(16).int32(nanos)
  return new BinaryWriter().uint32(10).bytes(duration.finish())
}

function decodeDurationMs(bytes: Uint8Array | undefined): number {
  const reader = new BinaryReader(bytes ?? new Uint8Array())
  let ms = 0
  while (reader.pos < reader.len) {
    const [field, wireType] = reader.tag()
    if (field === 1) ms += Number(reader.int64()) * 1000
    else if (field === 2) ms += reader.int32() / 1e6
    else reader.skip(wireType, field)
  }
  return ms
}

/** The contents of every length-delimited field with this number. */
function fieldsOf(bytes: Uint8Array, wanted: number): Uint8Array[] {
  const reader = new BinaryReader(bytes)
  const found: Uint8Array[] = []
  while (reader.pos < reader.len) {
    const [field, wireType] = reader.tag()
    if (field === wanted && (wireType as number) === 2) found.push(reader.bytes())
    else reader.skip(wireType, field)
  }
  return found
}

function text(bytes: Uint8Array | undefined): string {
  return Buffer.from(bytes ?? []).toString('utf8')
}
