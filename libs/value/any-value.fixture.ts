import fc from 'fast-check'

import {
  type Codec,
  type Codecs,
  Complex128Array,
  isComplexArray,
  isNdArray,
  NdArray,
  type NumericArray,
} from '#libs/task'

/** A class of a user's own. */
export class Tagged {
  readonly tag: string
  readonly inner: unknown

  constructor(tag: string, inner: unknown) {
    this.tag = tag
    this.inner = inner
  }
}

export const taggedCodec: Codec<Tagged, { tag: string; inner: unknown }> = {
  test: (value) => value instanceof Tagged,
  encode: ({ tag, inner }) => ({ tag, inner }),
  decode: ({ tag, inner }) => new Tagged(tag, inner),
}

export const taggedCodecs: Codecs = new Map([['tagged', taggedCodec]])

const complex = {
  BYTES_PER_ELEMENT: 16,
  over: (buffer: ArrayBuffer): NumericArray => new Complex128Array(new Float64Array(buffer)),
}
const elementTypes = [
  ...[Float64Array, Float32Array, Int8Array, Uint8Array, Int16Array, Uint16Array, Int32Array, Uint32Array],
  ...[BigInt64Array, BigUint64Array],
].map((Type) => ({
  BYTES_PER_ELEMENT: Type.BYTES_PER_ELEMENT,
  over: (buffer: ArrayBuffer): NumericArray => new Type(buffer),
}))

/** Shapes of rank 0 to 4, empty axes included. */
const smallShape = fc.array(fc.integer({ min: 0, max: 6 }), { maxLength: 4 })

/** What random bits seldom are. */
const notable = [
  0x8000000000000000n,
  0x7ff0000000000000n,
  0xfff0000000000000n,
  0x7ff80000000000a1n,
  0x7ff0000000000001n,
]

/** Numbers of every element type, complex ones among them; every bit pattern may occur. */
export const anyArrayOf = (shapes: fc.Arbitrary<number[]>): fc.Arbitrary<NdArray<NumericArray>> =>
  fc
    .record({ shape: shapes, type: fc.constantFrom(complex, complex, ...elementTypes), seed: fc.integer() })
    .map(({ shape, type, seed }) => {
      const length = shape.reduce((product, extent) => product * extent, 1)
      const bytes = new Uint8Array(length * type.BYTES_PER_ELEMENT)
      let state = seed
      for (let at = 0; at < bytes.length; at++) bytes[at] = (state = Math.imul(state, 1664525) + 1013904223) >>> 24
      const words = new BigUint64Array(bytes.buffer, 0, Math.floor(bytes.length / 8))
      for (const [at, word] of notable.entries()) if (at < words.length / 2) words[at] = word
      return new NdArray(type.over(bytes.buffer), shape)
    })

export const anyArray = anyArrayOf(smallShape)

const text = fc.string({ unit: 'grapheme' })

/** Anything that travels. */
export const { value: anyValue } = fc.letrec((tie) => ({
  value: fc.oneof(
    { maxDepth: 4, depthIdentifier: 'value' },
    anyArray,
    anyArray.map(({ data }) => data),
    fc.constantFrom(null, undefined, true, NaN, -0, Infinity, -Infinity, 5e-324, -7n, 2n ** 200n, new Date(NaN)),
    fc.double(),
    text,
    fc.array(tie('value'), { maxLength: 4 }),
    fc.dictionary(text, tie('value'), { maxKeys: 4, noNullPrototype: true }),
    fc.array(fc.tuple(text, tie('value')), { maxLength: 3 }).map((entries) => new Map(entries)),
    fc.array(text, { maxLength: 3 }).map((items) => new Set(items)),
    fc.tuple(text, tie('value')).map(([tag, inner]) => new Tagged(tag, inner)),
  ),
}))

/** A description that differs when any bit of the values, or their classes, do. */
export function bitsOf(value: unknown): unknown {
  if (typeof value === 'number') return Object.is(value, -0) ? '-0' : `number ${value}`
  if (typeof value !== 'object' || value === null) return value
  if (isNdArray(value)) return ['array', [...value.shape], ...elementsOf(value.data)]
  // A vector with a shape comes back as one without.
  if (isComplexArray(value)) return ['array', [value.length], ...elementsOf(value)]
  if (ArrayBuffer.isView(value))
    return ['array', [(value as Float64Array).length], ...elementsOf(value as Float64Array)]
  if (isTagged(value)) return ['tagged', value.tag, bitsOf(value.inner)]
  if (value instanceof Date) return ['date', value.getTime()]
  if (value instanceof Map) return ['map', [...value].map(([key, item]) => [bitsOf(key), bitsOf(item)])]
  if (value instanceof Set) return ['set', [...value].map(bitsOf)]
  if (Array.isArray(value)) return value.map(bitsOf)
  return ['record', Object.entries(value).map(([key, item]) => [key, bitsOf(item)])]
}

/** A task's module may have a class of that name, too. */
function isTagged(value: object): value is Tagged {
  return value.constructor.name === 'Tagged'
}

function elementsOf(numbers: NumericArray): [type: string, bits: string] {
  const { buffer, byteOffset, byteLength } = isComplexArray(numbers) ? numbers.data : numbers
  return [numbers.constructor.name, Buffer.from(buffer, byteOffset, byteLength).toString('base64')]
}
