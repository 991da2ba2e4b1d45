import type { ObjectId, SessionId } from '#libs/domain'

import type { FactOf } from '../core/fact.js'

// An object that was scattered, numbers little-endian: format; its bytes as it is held (64-bit float); its id and the
// session's, each with its length before it (8 bits, 0 for no session); the descriptor to the end. Mostly there are many.
const storedFormat = 4
const idsAt = 1 + 8
// One that was released: format; its id to the end.
const releasedFormat = 5

type Stored = FactOf<'objectStored'>
type Released = FactOf<'objectReleased'>
type Covers<T, Names extends keyof T> = Exclude<keyof T, Names> extends never ? true : never
/** A field that is added must be written, too: then this no longer compiles. */
export const covered: [
  Covers<Stored, 'kind' | 'objectId' | 'sessionId' | 'descriptor' | 'byteLength'>,
  Covers<Released, 'kind' | 'objectId'>,
] = [true, true]

export function isStored(bytes: Uint8Array): boolean {
  return bytes[0] === storedFormat
}

/** The fact in its own layout; nothing when it does not fit. */
export function encodeStored(fact: Stored): Uint8Array | undefined {
  const byteLength = storedByteLength(fact)
  if (byteLength === undefined) return undefined
  const bytes = Buffer.allocUnsafe(byteLength)
  writeStored(fact, bytes, 0)
  return bytes
}

/** How long it is; nothing when it does not fit. The session may be left to where it is written once for many. */
export function storedByteLength(
  { objectId, sessionId, descriptor }: Stored,
  written: SessionId | '' = sessionId ?? '',
): number | undefined {
  const objectBytes = Buffer.byteLength(objectId)
  const sessionBytes = Buffer.byteLength(written)
  if (objectBytes > 255 || sessionBytes > 255) return undefined
  return idsAt + 1 + objectBytes + 1 + sessionBytes + descriptor.byteLength
}

/** Returns where it ends. */
export function writeStored(
  { objectId, sessionId, descriptor, byteLength }: Stored,
  bytes: Buffer,
  at: number,
  written: SessionId | '' = sessionId ?? '',
): number {
  bytes[at] = storedFormat
  bytes.writeDoubleLE(byteLength, at + 1)
  const objectBytes = bytes.write(objectId, at + idsAt + 1)
  bytes[at + idsAt] = objectBytes
  const sessionAt = at + idsAt + 1 + objectBytes
  const sessionBytes = written === '' ? 0 : bytes.write(written, sessionAt + 1)
  bytes[sessionAt] = sessionBytes
  const bodyAt = sessionAt + 1 + sessionBytes
  bytes.set(descriptor, bodyAt)
  return bodyAt + descriptor.byteLength
}

/** The descriptor is a view of the bytes. */
export function decodeStored(encoded: Uint8Array): Stored {
  const bytes = Buffer.from(encoded.buffer, encoded.byteOffset, encoded.byteLength)
  const sessionAt = idsAt + 1 + bytes.readUInt8(idsAt)
  const bodyAt = sessionAt + 1 + bytes.readUInt8(sessionAt)
  const sessionId = bytes.toString('utf8', sessionAt + 1, bodyAt)
  return {
    kind: 'objectStored',
    objectId: bytes.toString('utf8', idsAt + 1, sessionAt) as ObjectId,
    sessionId: sessionId === '' ? undefined : (sessionId as SessionId),
    descriptor: new Uint8Array(encoded.buffer, encoded.byteOffset + bodyAt, encoded.byteLength - bodyAt),
    byteLength: bytes.readDoubleLE(1),
  }
}

export function isReleased(bytes: Uint8Array): boolean {
  return bytes[0] === releasedFormat
}

export function encodeReleased({ objectId }: Released): Uint8Array {
  const bytes = Buffer.allocUnsafe(1 + Buffer.byteLength(objectId))
  bytes[0] = releasedFormat
  bytes.write(objectId, 1)
  return bytes
}

export function decodeReleased(encoded: Uint8Array): Released {
  const bytes = Buffer.from(encoded.buffer, encoded.byteOffset, encoded.byteLength)
  return { kind: 'objectReleased', objectId: bytes.toString('utf8', 1) as ObjectId }
}
