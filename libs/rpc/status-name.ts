/** The canonical gRPC codes other than OK, by number (position + 1). */
const STATUS_NAMES = [
  'CANCELLED',
  'UNKNOWN',
  'INVALID_ARGUMENT',
  'DEADLINE_EXCEEDED',
  'NOT_FOUND',
  'ALREADY_EXISTS',
  'PERMISSION_DENIED',
  'RESOURCE_EXHAUSTED',
  'FAILED_PRECONDITION',
  'ABORTED',
  'OUT_OF_RANGE',
  'UNIMPLEMENTED',
  'INTERNAL',
  'UNAVAILABLE',
  'DATA_LOSS',
  'UNAUTHENTICATED',
] as const

/** A canonical gRPC code, by name; OK is no failure. */
export type StatusName = (typeof STATUS_NAMES)[number]

/** The name of a code on the wire; UNKNOWN for a number that is no failure code. */
export function statusNameOf(code: number): StatusName {
  return STATUS_NAMES[code - 1] ?? 'UNKNOWN'
}
