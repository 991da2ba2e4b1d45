const censor = '[redacted]'
const maxDepth = 6
const maxElements = 100
const maxTextLength = 8192

/** Top-level names that pino itself censors, because the fields bound to a child logger do not pass through `redact`. */
export const redactedFields = {
  paths: ['token', 'secret', 'password', 'authorization', 'cookie', 'payload', 'meshToken', 'meshSecret', 'privateKey'],
  censor,
}

/**
 * The fields of a log line without what must not be in one, at any depth and whatever the spelling of the key: credentials
 * become `[redacted]` (numbers stay: a fencing token is one), binary data becomes its type and length, long text is cut.
 * Errors become plain objects. The argument is left as it is.
 */
export function redact(fields: Record<string, unknown>): Record<string, unknown> {
  return redactRecord(fields, 0)
}

function redactRecord(fields: object, depth: number): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(fields).map(([key, value]) => [key, isSecret(key, value) ? censor : redactValue(value, depth + 1)]),
  )
}

function redactValue(value: unknown, depth: number): unknown {
  if (typeof value === 'string') {
    return value.length > maxTextLength ? `${value.slice(0, maxTextLength)}… (${value.length} characters)` : value
  }
  if (typeof value === 'bigint') return String(value)
  if (typeof value !== 'object' || value === null) return value
  if (ArrayBuffer.isView(value)) return `[${value.constructor.name} of ${value.byteLength} bytes]`
  if (value instanceof ArrayBuffer || value instanceof SharedArrayBuffer) {
    return `[${value.constructor.name} of ${value.byteLength} bytes]`
  }
  if (depth > maxDepth) return '[nested too deep]'
  if (value instanceof Error) return redactError(value, depth)
  if (Array.isArray(value)) {
    const shown = value.slice(0, maxElements).map((element) => redactValue(element, depth + 1))
    return value.length > maxElements ? [...shown, `… (${value.length} elements)`] : shown
  }
  if (value instanceof Map || value instanceof Set) return `[${value.constructor.name} of ${value.size}]`
  const { toJSON } = value as { toJSON?: unknown }
  if (typeof toJSON === 'function') return redactValue(toJSON.call(value), depth + 1)
  return redactRecord(value, depth)
}

function redactError(error: Error, depth: number): Record<string, unknown> {
  return {
    type: error.name,
    message: redactValue(error.message, depth),
    stack: redactValue(error.stack, depth),
    ...(error.cause === undefined ? {} : { cause: redactValue(error.cause, depth + 1) }),
    ...redactRecord(error, depth),
  }
}

function isSecret(key: string, value: unknown): boolean {
  if (value === undefined || value === null || typeof value === 'number' || typeof value === 'boolean') return false
  if (typeof value === 'bigint') return false
  const plain = key.toLowerCase().replaceAll(/[-_.]/g, '')
  return /(?:token|secret|password|passphrase|authorization|cookie|apikey|privatekey|payload)$/.test(plain)
}
