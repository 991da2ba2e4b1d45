import { deserialize, serialize } from 'node:v8'

import { decodeStored, storedByteLength, writeStored } from './object-codec.js'
import type { GroupFact } from './object-groups.js'

// Objects that were stored together, numbers little-endian: format; the group's number (64-bit float); the objects, each with its
// length before it (32 bits), as each is written by itself.
const groupFormat = 6
const objectsAt = 1 + 8
// What else is said of a group: format; a value in the structured-clone format of V8. There is little of it.
const otherFormat = 7

type GroupStored = Extract<GroupFact, { kind: 'groupStored' }>

export function isGroupFact(bytes: Uint8Array): boolean {
  return bytes[0] === groupFormat || bytes[0] === otherFormat
}

export function encodeGroupFact(fact: GroupFact): Uint8Array {
  return fact.kind === 'groupStored' ? encodeGroup(fact) : Buffer.concat([Buffer.of(otherFormat), serialize(fact)])
}

/** The descriptors are views of the bytes. */
export function decodeGroupFact(bytes: Uint8Array): GroupFact {
  return bytes[0] === groupFormat ? decodeGroup(bytes) : (deserialize(bytes.subarray(1)) as GroupFact)
}

function encodeGroup({ group, objects }: GroupStored): Uint8Array {
  const lengths = objects.map((object) => storedByteLength(object) ?? unfit(object.objectId))
  const bytes = Buffer.allocUnsafe(objectsAt + lengths.reduce((sum, length) => sum + 4 + length, 0))
  bytes[0] = groupFormat
  bytes.writeDoubleLE(group, 1)
  let at = objectsAt
  objects.forEach((object, index) => {
    at = bytes.writeUInt32LE(lengths[index] ?? 0, at)
    at = writeStored(object, bytes, at)
  })
  return bytes
}

function decodeGroup(encoded: Uint8Array): GroupStored {
  const bytes = Buffer.from(encoded.buffer, encoded.byteOffset, encoded.byteLength)
  const objects: GroupStored['objects'][number][] = []
  for (let at = objectsAt; at < bytes.byteLength;) {
    const start = at + 4
    at = start + bytes.readUInt32LE(at)
    objects.push(decodeStored(bytes.subarray(start, at)))
  }
  return { kind: 'groupStored', group: bytes.readDoubleLE(1), objects }
}

function unfit(objectId: string): never {
  throw new Error(`object ${objectId} is in a group of objects, but its ids are too long for that`)
}
