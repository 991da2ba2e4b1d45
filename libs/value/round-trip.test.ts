import fc from 'fast-check'
import { expect, test } from 'vitest'

import { Complex128Array, isComplexArray, NdArray, type NumericArray } from '#libs/task'

import { anyValue, bitsOf, Tagged, taggedCodecs } from './any-value.fixture.js'
import { copySegments, decodePayload, decodeValue, encodePayload, encodeValue, packStructure } from './index.js'

test('any value comes back bit for bit: every element type and shape, nested values, codecs', () => {
  fc.assert(
    fc.property(anyValue, fc.boolean(), (value, view) => {
      const encoded = packStructure(encodeValue(value, 'the value', { codecs: taggedCodecs }))
      const options = { codecs: taggedCodecs }
      const apart = decodeValue(encoded.root, copySegments(encoded), { ...options, view })
      const whole = decodePayload(encodePayload(encoded), options)
      expect([bitsOf(apart), bitsOf(whole)]).toEqual([bitsOf(value), bitsOf(value)])
    }),
    { numRuns: 500 },
  )
})

test('what is compared is every bit', () => {
  const payloadNaN = new Float64Array(new BigUint64Array([0x7ff8_0000_0000_00a1n]).buffer)
  expect(bitsOf(payloadNaN)).not.toEqual(bitsOf(new Float64Array([NaN])))
  expect(bitsOf([-0])).not.toEqual(bitsOf([0]))
  expect(bitsOf(new Tagged('a', 1))).not.toEqual(bitsOf(new Tagged('b', 1)))
  expect(bitsOf(new Complex128Array(0))).not.toEqual(bitsOf(new Float64Array(0)))
})

test('complex numbers come back as a vector, or with their shape', () => {
  const roundTrip = (value: unknown) => decodePayload(encodePayload(encodeValue(value, 'the value')))
  const vector = roundTrip(new Complex128Array(new Float64Array([1, -0, NaN, Infinity]))) as Complex128Array
  expect(isComplexArray(vector)).toBe(true)
  expect(vector.data).toEqual(new Float64Array([1, -0, NaN, Infinity]))
  const matrix = roundTrip(new NdArray(new Complex128Array(6), [2, 3])) as NdArray<NumericArray>
  expect([matrix.shape, isComplexArray(matrix.data), matrix.data.length]).toEqual([[2, 3], true, 6])
})
