import fc from 'fast-check'
import { expect, test } from 'vitest'

import { Atom, ElementType, Payload, type Reference, Value } from '#libs/proto'
import { NdArray } from '#libs/task'

import {
  copySegments,
  decodePayload,
  decodeValue,
  encodePayload,
  encodeValue,
  inspectValue,
  maxStructureBytes,
  nameOfPart,
  packStructure,
} from './index.js'

const roundTrip = (value: unknown): unknown => decodePayload(encodePayload(encodeValue(value, 'the value')))

test('numbers come back bit for bit', () => {
  for (const x of [0, -0, NaN, Infinity, -Infinity, 5e-324, Number.MAX_VALUE, 2 ** 53 + 2]) {
    expect(Object.is(roundTrip(x), x)).toBe(true)
  }
})

test('every kind of value comes back as it was', () => {
  const value = {
    nothing: null,
    missing: undefined,
    yes: true,
    big: 2n ** 200n,
    negative: -7n,
    text: 'ẋ = f(x, u)',
    when: new Date('2026-11-22T20:30:15.123Z'),
    list: [1, [2, [3]], []],
    map: new Map<unknown, unknown>([
      ['a', 1],
      [2, new Float64Array([1])],
    ]),
    set: new Set([1, 'two']),
    empty: {},
    arrays: [new Float64Array([1.5, NaN, -0]), new Float32Array([0.5]), new Int8Array([-1]), new Uint8Array([255])],
    more: [new Int16Array([-2]), new Uint16Array([3]), new Int32Array([-4]), new Uint32Array([5])],
    wide: [new BigInt64Array([-6n]), new BigUint64Array([7n])],
  }
  expect(roundTrip(value)).toStrictEqual(value)
})

test('empty arrays and arrays that follow odd lengths stay aligned', () => {
  const value = [new Uint8Array([1, 2, 3]), new Float64Array(0), new Float64Array([4]), new Uint8Array(0)]
  expect(roundTrip(value)).toStrictEqual(value)
})

test('an array with a shape comes back with it', () => {
  const matrix = roundTrip(new NdArray(new Float64Array([1, 2, 3, 4, 5, 6]), [2, 3])) as NdArray
  expect(matrix.shape).toEqual([2, 3])
  expect(matrix.data).toEqual(new Float64Array([1, 2, 3, 4, 5, 6]))
})

test('a record cannot replace its prototype', () => {
  const value = JSON.parse('{"__proto__": {"polluted": true}}') as object
  const back = roundTrip(value) as object
  expect(Object.getPrototypeOf(back)).toBe(Object.prototype)
  expect(Object.keys(back)).toEqual(['__proto__'])
})

test('any Float64Array survives bit for bit', () => {
  fc.assert(
    fc.property(fc.array(fc.float64Array(), { maxLength: 4 }), (arrays) => {
      const back = roundTrip(arrays) as Float64Array[]
      expect(back.map((array) => Buffer.from(array.buffer, array.byteOffset, array.byteLength))).toEqual(
        arrays.map((array) => Buffer.from(array.buffer, array.byteOffset, array.byteLength)),
      )
    }),
  )
})

test('what cannot travel is refused with its place', () => {
  class Solver {
    iterations = 0
  }
  const cycle: unknown[] = []
  cycle.push(cycle)
  expect(() => roundTrip({ runs: [{ f: () => 1 }] })).toThrow('the value, at .runs[0].f, is a function')
  expect(() => roundTrip({ solver: new Solver() })).toThrow('the value, at .solver, is an instance of Solver')
  expect(() => roundTrip(cycle)).toThrow('the value, at [0], is a cycle')
  expect(() => roundTrip(Symbol('s'))).toThrow('the value is a symbol')
})

test('what would come back as something else is refused with advice', () => {
  expect(() => roundTrip(['half \ud83d of a pair'])).toThrow('the value, at [0], is text with a lone surrogate')
  expect(() => roundTrip({ '\udc00': 1 })).toThrow('text with a lone surrogate')
  expect(roundTrip('a whole 😀 pair')).toBe('a whole 😀 pair')
  expect(() => roundTrip(new ArrayBuffer(8))).toThrow('a bare ArrayBuffer, which cannot travel: pass a view of it')
  expect(() => roundTrip(new SharedArrayBuffer(8))).toThrow('a bare SharedArrayBuffer')
})

test('holes come back as undefined, and objects without a prototype as plain ones', () => {
  expect(roundTrip([1, , 3])).toStrictEqual([1, undefined, 3])
  const bare = Object.assign(Object.create(null) as object, { a: 1 })
  expect(roundTrip(bare)).toStrictEqual({ a: 1 })
})

test('whoever names a value may say it of the place', () => {
  const nameOf = ([index, ...path]: readonly (string | number)[]) =>
    nameOfPart(`argument ${index ?? ''} of task f`, path)
  expect(() => encodeValue([1, { x: () => 1 }], nameOf)).toThrow('argument 1 of task f, at .x, is a function')
  expect(() => encodeValue([() => 1], nameOf)).toThrow('argument 0 of task f is a function')
})

test('the same object twice is no cycle', () => {
  const shared = new Float64Array([1])
  expect(roundTrip([shared, shared, [shared]])).toStrictEqual([shared, shared, [shared]])
})

test('references are found and put back', () => {
  const future = { id: 'j1/0' }
  const find = (value: object): Reference | undefined =>
    value === future ? { target: { $case: 'objectId', value: future.id } } : undefined
  const payload = encodePayload(encodeValue([{ deep: [future] }], 'the arguments', { findReference: find }))
  const seen: unknown[] = []
  const { root, body } = Payload.decode(payload)
  inspectValue(root, body.byteLength, (reference) => seen.push(reference.target?.value))
  expect(seen).toEqual(['j1/0'])
  expect(decodePayload(payload, { resolve: () => 42 })).toEqual([{ deep: [42] }])
  expect(() => decodePayload(payload)).toThrow('refers to another object')
})

test('a tensor that contradicts its body is refused', () => {
  const tensor = (elementType: ElementType, shape: bigint[], byteLength: bigint, offset = 0n): Value => ({
    kind: { $case: 'tensor', value: { elementType, shape, offset, byteLength } },
  })
  const inspect = (root: Value): void => inspectValue(root, 16, () => undefined)
  expect(() => inspect(tensor(ElementType.FLOAT64, [2n], 16n))).not.toThrow()
  expect(() => inspect(tensor(ElementType.FLOAT64, [3n], 16n))).toThrow('shape [3] with 8-byte elements needs 24')
  expect(() => inspect(tensor(ElementType.FLOAT64, [3n], 24n))).toThrow('do not lie')
  expect(() => inspect(tensor(ElementType.FLOAT64, [1n], 8n, 4n))).toThrow('multiple of 8')
  expect(() => inspect(tensor(ElementType.COMPLEX128, [1n], 16n))).not.toThrow()
  expect(() => inspect(tensor(ElementType.COMPLEX128, [2n], 16n))).toThrow('shape [2] with 16-byte elements needs 32')
  expect(() => inspect(tensor(ElementType.COMPLEX128, [2n], 32n))).toThrow('do not lie')
  expect(() => inspect(tensor(99 as never, [1n], 8n))).toThrow('unknown element type 99')
  expect(() => inspect({ kind: undefined })).toThrow('empty')
  expect(() =>
    inspect({
      kind: { $case: 'list', value: { values: [{ kind: { $case: 'atom', value: Atom.NULL } }, { kind: undefined }] } },
    }),
  ).toThrow()
})

test.each([
  ['a long text', 'ẋ'.repeat(200_000)],
  ['many small values', Array.from({ length: 50_000 }, (_, i) => ({ name: `run ${i}`, at: i }))],
  ['a long integer', 10n ** 300_000n],
  ['a large structure around arrays', [new Uint8Array([1, 2, 3]), 'x'.repeat(300_000), new Float64Array([1, 2])]],
])('the structure of %s travels in the body', (_, value) => {
  const packed = packStructure(encodeValue(value, 'the value'))
  expect(Value.encode(packed.root).finish().byteLength).toBeLessThan(100)
  expect(decodeValue(packed.root, copySegments(packed), { view: true })).toStrictEqual(value)
  expect(decodePayload(encodePayload(packed))).toStrictEqual(value)
})

test('a structure that fits stays where it is', () => {
  const encoded = encodeValue(['x'.repeat(maxStructureBytes - 100), new Float64Array(100_000)], 'the value')
  expect(packStructure(encoded).root).toBe(encoded.root)
})

test('the bound of a structure is one', () => {
  fc.assert(
    fc.property(fc.anything({ withBigInt: true, withDate: true, withMap: true, withSet: true }), (value) => {
      const { root, mostStructureBytes } = encodeValue(value, 'the value')
      expect(Value.encode(root).finish().byteLength).toBeLessThanOrEqual(mostStructureBytes)
    }),
  )
})

test('a packed value that contradicts its body, or refers to something, is refused', () => {
  const packed = (inner: Value, byteLength?: bigint): [Value, Uint8Array] => {
    const body = Value.encode(inner).finish()
    const value = { offset: 0n, byteLength: byteLength ?? BigInt(body.byteLength) }
    return [{ kind: { $case: 'packed', value } }, body]
  }
  const text: Value = { kind: { $case: 'text', value: 'x' } }
  const [tooLong, body] = packed(text, 99n)
  expect(() => decodeValue(tooLong, body)).toThrow('do not lie in the body')
  expect(() => inspectValue(tooLong, body.byteLength, () => undefined)).toThrow('do not lie in the body')
  expect(() => decodeValue(...packed(packed(text)[0]))).toThrow('packed again')
  const reference: Value = { kind: { $case: 'reference', value: { target: { $case: 'objectId', value: 'o' } } } }
  expect(() => decodeValue(...packed(reference), { resolve: () => 1 })).toThrow('refers to another object')
})
