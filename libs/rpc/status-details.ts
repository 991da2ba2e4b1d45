import { BinaryReader, BinaryWriter } from '@bufbuild/protobuf/wire'
import { fitWireText } from './wire-text.js'

/** The trailer that carries a google.rpc.Status. */
export const DETAILS_KEY = 'grpc-status-details-bin'
export const DOMAIN = 'costate'

/** What we put into google.rpc.Status besides code and message; ErrorInfo always, the others where they apply. */
export interface StatusDetails {
  readonly reason: string
  readonly metadata: Readonly<Record<string, string>>
  readonly retryDelayMs: number | undefined
  readonly fieldViolations: readonly FieldViolation[]
  readonly resource?: Resource | undefined
  readonly preconditions?: readonly PreconditionViolation[]
  readonly quotas?: readonly QuotaViolation[]
}

/** ResourceInfo: what was not found, or is in the way. */
export interface Resource {
  /** Such as `costate.job`. */
  readonly type: string
  readonly name: string
}

/** PreconditionFailure: what must be true before the same request can be served. */
export interface PreconditionViolation {
  /** UPPER_SNAKE. */
  readonly type: string
  readonly subject: string
  readonly description: string
}

/** QuotaFailure: which limit is reached. */
export interface QuotaViolation {
  readonly subject: string
  readonly description: string
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
    const entry = encodeTexts([fitWireText(key, 64), fitWireText(value, VALUE_LIMIT_BYTES)])
    budget -= entry.length + 4
    if (budget > 0) info.uint32(26).bytes(entry)
  }
  writeAny(writer, 'ErrorInfo', info)
  if (details.retryDelayMs !== undefined) writeAny(writer, 'RetryInfo', encodeRetryInfo(details.retryDelayMs))
  const writeViolations = (type: string, violations: readonly (readonly string[])[]): void => {
    const content = new BinaryWriter()
    for (const texts of violations) {
      const violation = encodeTexts(
        texts.map((each, i) => fitWireText(each, i < texts.length - 1 ? 128 : VALUE_LIMIT_BYTES)),
      )
      budget -= violation.length + 4
      if (budget > 0) content.uint32(10).bytes(violation)
    }
    if (violations.length > 0) writeAny(writer, type, content)
  }
  const { fieldViolations, preconditions = [], quotas = [], resource } = details
  if (resource) {
    const content = new BinaryWriter().uint32(10).string(fitWireText(resource.type, 64))
    content.uint32(18).string(fitWireText(resource.name, 256))
    budget -= 320
    writeAny(writer, 'ResourceInfo', content)
  }
  writeViolations(
    'BadRequest',
    fieldViolations.map(({ field, description }) => [field, description]),
  )
  writeViolations(
    'PreconditionFailure',
    preconditions.map(({ type, subject, description }) => [type, subject, description]),
  )
  writeViolations(
    'QuotaFailure',
    quotas.map(({ subject, description }) => [subject, description]),
  )
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
      } else if (text(typeUrl).endsWith('/google.rpc.ResourceInfo')) {
        const [type, name] = readPair(content).map(text) as [string, string]
        details.resource = { type, name }
      } else if (text(typeUrl).endsWith('/google.rpc.PreconditionFailure')) {
        details.preconditions = fieldsOf(content, 1).map((violation) => {
          const [type, subject] = readPair(violation).map(text) as [string, string]
          return { type, subject, description: text(fieldsOf(violation, 3).at(-1)) }
        })
      } else if (text(typeUrl).endsWith('/google.rpc.QuotaFailure')) {
        details.quotas = fieldsOf(content, 1).map((violation) => {
          const [subject, description] = readPair(violation).map(text) as [string, string]
          return { subject, description }
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

/** Map entries, violations and Any share a shape: length-delimited fields, numbered from 1. */
function encodeTexts(texts: readonly string[]): Uint8Array {
  const writer = new BinaryWriter()
  for (const [i, each] of texts.entries()) writer.uint32(((i + 1) << 3) | 2).string(each)
  return writer.finish()
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
