import { BinaryReader, BinaryWriter } from '@bufbuild/protobuf/wire'
import fc from 'fast-check'
import { expect, test } from 'vitest'

import {
  ElementType,
  encodeDescriptor,
  ObjectBatch,
  ObjectDescriptor,
  shareStructure,
  TransferHeader,
  type Value,
} from './index.js'
import { Value as ValueCodec } from './gen/costate/types/v1/value.js'

function tensor(length: number, offset = 0n): Value {
  const shape = [BigInt(length)]
  const value = { elementType: ElementType.FLOAT64, shape, offset, byteLength: BigInt(8 * length) }
  return { kind: { $case: 'tensor', value } }
}

/** Field by field, as the contract says: what the hand-written form must equal. */
function encodePlainly({ objectId, structure, byteLength, xxh64 }: ObjectDescriptor): Uint8Array {
  const writer = new BinaryWriter()
  if (objectId !== '') writer.uint32(10).string(objectId)
  if (structure) writer.uint32(18).bytes(ValueCodec.encode(structure).finish())
  if (byteLength !== 0n) writer.uint32(24).uint64(byteLength)
  if (xxh64 !== 0n) writer.uint32(33).fixed64(xxh64)
  return writer.finish()
}

const structures: fc.Arbitrary<Value | undefined> = fc.oneof(
  fc.constant(undefined),
  fc.constantFrom<Value>(
    { kind: { $case: 'number', value: 1.5 } },
    { kind: { $case: 'text', value: 'ü'.repeat(200) } },
    { kind: { $case: 'list', value: { values: [tensor(3), tensor(4, 24n)] } } },
  ),
  fc.nat({ max: 2 ** 20 }).map((length) => tensor(length)),
  fc.nat({ max: 100 }).map((length) => shareStructure(tensor(length))),
)
const descriptors: fc.Arbitrary<ObjectDescriptor> = fc.record({
  objectId: fc.oneof(
    fc.uuid().map((id) => `o-${id}`),
    fc.string({ unit: 'binary', maxLength: 150 }),
  ),
  structure: structures,
  byteLength: fc.oneof(fc.nat({ max: 2 ** 15 }).map(BigInt), fc.bigInt({ min: 0n, max: 2n ** 64n - 1n })),
  xxh64: fc.oneof(fc.constant(0n), fc.bigInt({ min: 0n, max: 2n ** 64n - 1n })),
})

test('descriptors have the bytes that the contract says, and come back from them', () => {
  fc.assert(
    fc.property(fc.array(descriptors, { maxLength: 20 }), (objects) => {
      for (const object of objects) {
        const bytes = encodePlainly(object)
        expect(Buffer.from(encodeDescriptor(object))).toEqual(Buffer.from(bytes))
        expect(Buffer.from(ObjectDescriptor.encode(object).finish())).toEqual(Buffer.from(bytes))
        expect(ObjectDescriptor.decode(Buffer.from(bytes))).toEqual(object)
        expect(ObjectDescriptor.decode(new Uint8Array(bytes))).toEqual(object)
      }
      const header = { ...TransferHeader.fromPartial({ byteLength: 7n }), objects }
      expect(TransferHeader.decode(Buffer.from(TransferHeader.encode(header).finish()))).toEqual(header)
    }),
  )
})

test('serialized descriptors do not change with those that come after them', () => {
  const structure = shareStructure(tensor(128))
  const objects = Array.from({ length: 300 }, (_, k) => ({
    ...{ objectId: `o-${k}`, structure, byteLength: 1024n, xxh64: BigInt(k) },
  }))
  const serialized = objects.map(encodeDescriptor)
  expect(serialized.map((bytes) => ObjectDescriptor.decode(bytes))).toEqual(objects)
})

test('what another writer says in its own order, or leaves out, is understood', () => {
  const structure = ValueCodec.encode(tensor(2)).finish()
  const writer = new BinaryWriter().uint32(33).fixed64(5n).uint32(24).uint64(16n).uint32(18).bytes(structure)
  const bytes = writer.uint32(10).string('o-1').uint32(50).string('from a later version').finish()
  const expected = { objectId: 'o-1', structure: tensor(2), byteLength: 16n, xxh64: 5n }
  expect(ObjectDescriptor.decode(Buffer.from(bytes))).toEqual(expected)
  expect(ObjectDescriptor.decode(Buffer.alloc(0))).toEqual(ObjectDescriptor.fromPartial({}))
})

test('a descriptor that was cut is refused or short, and never reads what lies behind it', () => {
  const whole = { objectId: 'o-1', structure: shareStructure(tensor(128)), byteLength: 1024n, xxh64: 77n }
  const bytes = Buffer.concat([encodeDescriptor(whole), Buffer.alloc(64, 0x12)])
  const { byteLength } = encodeDescriptor(whole)
  for (let length = 0; length < byteLength; length++) {
    const reader = new BinaryReader(bytes.subarray(0, byteLength))
    let decoded: ObjectDescriptor | undefined
    try {
      decoded = ObjectDescriptor.decode(reader, length)
    } catch {
      continue
    }
    // The generated code may read the field that is cut to its end; it never makes a whole of it.
    expect(decoded.xxh64 === 77n && reader.pos <= length).toBe(false)
  }
})

test('objects of one shape share their structure', () => {
  const bytes = [1, 2].map((n) => {
    const object = { objectId: `o-${n}`, structure: tensor(128), byteLength: 1024n, xxh64: BigInt(n) }
    return Buffer.from(ObjectDescriptor.encode(object).finish())
  })
  const [first, second] = bytes.map((each) => ObjectDescriptor.decode(each))
  expect(first?.structure).toEqual(tensor(128))
  expect(second?.structure).toBe(first?.structure)
  expect(shareStructure(tensor(128))).toBe(first?.structure)
})

test('the ids of a batch have the bytes that the contract says, and come back from them', () => {
  const ids = fc.array(
    fc.oneof(
      fc.uuid().map((id) => `o-${id}`),
      fc.string({ unit: 'binary', maxLength: 150 }),
    ),
  )
  fc.assert(
    fc.property(ids, (objectIds) => {
      const writer = new BinaryWriter()
      for (const id of objectIds) writer.uint32(10).string(id)
      const bytes = Buffer.from(writer.finish())
      expect(Buffer.from(ObjectBatch.encode({ objectIds }).finish())).toEqual(bytes)
      expect(ObjectBatch.decode(bytes)).toEqual({ objectIds })
      expect(ObjectBatch.decode(new Uint8Array(bytes))).toEqual({ objectIds })
    }),
  )
  const later = new BinaryWriter().uint32(10).string('o-1').uint32(18).string('from a later version').finish()
  expect(ObjectBatch.decode(Buffer.from(later))).toEqual({ objectIds: ['o-1'] })
  expect(() => ObjectBatch.decode(Buffer.from(later).subarray(0, 4))).toThrow()
})
