import { Value } from './gen/costate/types/v1/value.js'

/** What is longer is mostly a structure of its own, and not worth to be compared. */
const mostBytes = 64
/** How many structures are remembered: objects that are moved together are mostly alike. */
const mostRecent = 8
/** The tag of a value that is a tensor: field 11, length-delimited. */
const tensorTag = (11 << 3) | 2

interface Shared {
  readonly value: Value
  readonly bytes: Uint8Array
}

const recent: Shared[] = []
const bytesOfShared = new WeakMap<Value, Uint8Array>()

/**
 * The value that these bytes are, the same one for bytes that are the same: thousands of arrays of one shape have one structure.
 * Nobody may change it. Nothing for what is not worth it.
 */
export function sharedStructure(bytes: Uint8Array, start: number, end: number): Value | undefined {
  if (end - start > mostBytes || end > bytes.length || bytes[start] !== tensorTag) return undefined
  for (let index = 0; index < recent.length; index++) {
    const known = recent[index] as Shared
    if (isAt(known.bytes, bytes, start, end)) return known.value
  }
  const own = Uint8Array.prototype.slice.call(bytes, start, end)
  const value = Value.decode(own)
  recent.unshift({ value, bytes: own })
  if (recent.length > mostRecent) recent.pop()
  bytesOfShared.set(value, own)
  return value
}

/** The serialized form of a value that `sharedStructure` gave out; nothing for others. */
export function bytesOfSharedStructure(value: Value): Uint8Array | undefined {
  return bytesOfShared.get(value)
}

function isAt(known: Uint8Array, bytes: Uint8Array, start: number, end: number): boolean {
  if (known.length !== end - start) return false
  for (let index = 0; index < known.length; index++) if (known[index] !== bytes[start + index]) return false
  return true
}
