import { deserialize, serialize } from 'node:v8'

import type { SessionId } from '#libs/domain'

import { decodeStored, storedByteLength, writeStored } from './object-codec.js'
import type { GroupFact } from './object-groups.js'

// Objects that were stored together, numbers little-endian: format; the group's number (64-bit float); the objects, each with its
// length before it (32 bits), as each is written by itself.
const groupFormat = 6
const objectsAt = 1 + 8
// The same of one session: format; the group's number; the session's id with its length before it (8 bits, 0 for none); the objects, as
// objects of no session.
const sessionGroupFormat = 8
// What else is said of a group: format; a value in the structured-clone format of V8. There is little of it.
const otherFormat = 7

type GroupStored = Extract<GroupFact, { kind: 'groupStored' }>
type Stored = GroupStored['objects'][number]

export function isGroupFact(bytes: Uint8Array): boolean {
  return bytes[0] === groupFormat || bytes[0] === sessionGroupFormat || bytes[0] === otherFormat
}

export function encodeGroupFact(fact: GroupFact): Uint8Array {
  return fact.kind === 'groupStored' ? encodeGroup(fact) : Buffer.concat([Buffer.of(otherFormat), serialize(fact)])
}

/** The descriptors are views of the bytes. */
export function decodeGroupFact(bytes: Uint8Array): GroupFact {
  return bytes[0] === otherFormat ? (deserialize(bytes.subarray(1)) as GroupFact) : decodeGroup(bytes)
}

function encodeGroup({ group, objects }: GroupStored): Uint8Array {
  const sessionId = objects[0]?.sessionId
  const isOfOne = objects.every((object) => object.sessionId === sessionId)
  const once = isOfOne ? (sessionId ?? '') : ''
  const each = isOfOne ? '' : undefined
  const lengths = objects.map((object) => storedByteLength(object, each) ?? unfit(object.objectId))
  const start = isOfOne ? objectsAt + 1 + Buffer.byteLength(once) : objectsAt
  const bytes = Buffer.allocUnsafe(lengths.reduce((sum, length) => sum + 4 + length, start))
  bytes[0] = isOfOne ? sessionGroupFormat : groupFormat
  bytes.writeDoubleLE(group, 1)
  if (isOfOne) bytes[objectsAt] = bytes.write(once, objectsAt + 1)
  let at = start
  for (let index = 0; index < objects.length; index++) {
    at = bytes.writeUInt32LE(lengths[index] as number, at)
    at = writeStored(objects[index] as Stored, bytes, at, each)
  }
  return bytes
}

function decodeGroup(encoded: Uint8Array): GroupStored {
  const bytes = Buffer.from(encoded.buffer, encoded.byteOffset, encoded.byteLength)
  const isOfOne = bytes[0] === sessionGroupFormat
  const start = isOfOne ? objectsAt + 1 + bytes.readUInt8(objectsAt) : objectsAt
  const sessionId = isOfOne ? ((bytes.toString('utf8', objectsAt + 1, start) || undefined) as SessionId) : undefined
  const objects: Stored[] = []
  for (let at = start; at < bytes.byteLength;) {
    const from = at + 4
    at = from + bytes.readUInt32LE(at)
    const object = decodeStored(bytes.subarray(from, at))
    objects.push(isOfOne ? { ...object, sessionId } : object)
  }
  return { kind: 'groupStored', group: bytes.readDoubleLE(1), objects }
}

function unfit(objectId: string): never {
  throw new Error(`object ${objectId} is in a group of objects, but its ids are too long for that`)
}
