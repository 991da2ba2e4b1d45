import { BinaryReader, BinaryWriter } from '@bufbuild/protobuf/wire'

import { ObjectDescriptor } from './gen/costate/types/v1/object.js'
import { Value } from './gen/costate/types/v1/value.js'
import { bytesOfSharedStructure, sharedStructure } from './shared-structure.js'

// Tags of the fields: (number << 3) | wire type.
const objectIdTag = (1 << 3) | 2
const structureTag = (2 << 3) | 2
const byteLengthTag = (3 << 3) | 0
const xxh64Tag = (4 << 3) | 1

/** A length below it is one byte. */
const shortLength = 0x80
const scratch = Buffer.alloc(512)
const scratchView = new DataView(scratch.buffer, scratch.byteOffset, scratch.byteLength)
/** The beginning of the scratch memory, by length: objects that are moved together have descriptors of one length. */
const beginnings: Uint8Array[] = []

const generated = { ...ObjectDescriptor }

/**
 * Descriptors come by the thousand, with small objects, and each passes four processes: these read and write the usual ones in a
 * fifth of the time of the generated code, which takes care of all others. The bytes are the same.
 */
ObjectDescriptor.encode = (message, writer = new BinaryWriter()) => {
  const length = writeUsual(message)
  return length === undefined ? generated.encode(message, writer) : writer.raw(beginningOfScratch(length))
}

ObjectDescriptor.decode = (input, length) => {
  const reader = input instanceof BinaryReader ? input : new BinaryReader(input)
  const start = reader.pos
  const usual = readUsual(reader, length === undefined ? reader.len : start + length)
  if (usual) return usual
  reader.pos = start
  return generated.decode(reader, length)
}

/** The serialized descriptor, which nobody changes later. In memory that Node gives out in slices: an ArrayBuffer of its own takes as much again. */
export function encodeDescriptor(message: ObjectDescriptor): Uint8Array {
  const length = writeUsual(message)
  if (length === undefined) return generated.encode(message).finish()
  const bytes = Buffer.allocUnsafe(length)
  bytes.set(beginningOfScratch(length))
  return bytes
}

/** How long the serialized descriptor is. */
export function descriptorByteLength(message: ObjectDescriptor): number {
  return writeUsual(message) ?? generated.encode(message).finish().byteLength
}

function beginningOfScratch(length: number): Uint8Array {
  return (beginnings[length] ??= scratch.subarray(0, length))
}

/** Writes it into the scratch memory. Nothing for one with a structure of its own, or of unusual sizes. */
function writeUsual({ objectId, structure, byteLength, xxh64 }: ObjectDescriptor): number | undefined {
  const bytes = structure && bytesOfSharedStructure(structure)
  if (bytes === undefined || objectId === '' || objectId.length >= shortLength / 3) return undefined
  const idLength = scratch.write(objectId, 2)
  scratch[0] = objectIdTag
  scratch[1] = idLength
  let at = 2 + idLength
  scratch[at++] = structureTag
  scratch[at++] = bytes.length
  scratch.set(bytes, at)
  at += bytes.length
  let rest = Number(byteLength)
  if (!(rest >= 0 && rest < 2 ** 31)) return undefined
  if (rest > 0) {
    scratch[at++] = byteLengthTag
    for (; rest >= shortLength; rest >>>= 7) scratch[at++] = (rest & 0x7f) | shortLength
    scratch[at++] = rest
  }
  if (xxh64 === 0n) return at
  scratch[at] = xxh64Tag
  scratchView.setBigUint64(at + 1, xxh64, true)
  return at + 9
}

/** Nothing when something in it is not as `writeUsual` writes it: then the generated code says what it is. */
function readUsual(reader: BinaryReader, end: number): ObjectDescriptor | undefined {
  const { buf, view } = reader as unknown as { readonly buf: Uint8Array; readonly view: DataView }
  if (end > reader.len || !Buffer.isBuffer(buf)) return undefined
  let at = reader.pos
  if (buf[at] !== objectIdTag) return undefined
  const idEnd = at + 2 + (buf[at + 1] as number)
  if ((buf[at + 1] as number) >= shortLength || idEnd > end) return undefined
  const objectId = buf.toString('utf8', at + 2, idEnd)
  at = idEnd
  if (buf[at] !== structureTag) return undefined
  const structureEnd = at + 2 + (buf[at + 1] as number)
  if ((buf[at + 1] as number) >= shortLength || structureEnd > end) return undefined
  const structure = sharedStructure(buf, at + 2, structureEnd)
  if (structure === undefined) return undefined
  at = structureEnd
  let byteLength = 0
  if (at < end && buf[at] === byteLengthTag) {
    at++
    for (let shift = 0; ; shift += 7) {
      if (at === end || shift > 21) return undefined
      const byte = buf[at++] as number
      byteLength |= (byte & 0x7f) << shift
      if (byte < shortLength) break
    }
  }
  let xxh64 = 0n
  if (at + 9 === end && buf[at] === xxh64Tag) {
    xxh64 = view.getBigUint64(at + 1, true)
    at = end
  }
  if (at !== end) return undefined
  reader.pos = end
  return { objectId, structure, byteLength: BigInt(byteLength), xxh64 }
}

/** The structure of one array, which all arrays of its length and type share. */
export function shareStructure(structure: Value): Value {
  const bytes = Buffer.from(Value.encode(structure).finish())
  return sharedStructure(bytes, 0, bytes.length) ?? structure
}
