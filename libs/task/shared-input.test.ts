import { expect, expectTypeOf, test } from 'vitest'

import { Complex128Array } from './complex-array.js'
import { NdArray } from './nd-array.js'
import type { ScatteredObject } from './scattered-object.js'
import { isSharedInput, shared, type SharedInput } from './shared-input.js'

test.each([
  ['a typed array', new Float64Array(2)],
  ['an array with a shape', new NdArray(new Float64Array(2), [2, 1])],
  ['a complex array', new Complex128Array(1)],
])('%s can be shared', (_, input) => {
  const marked = shared(input as Float64Array)
  expect(isSharedInput(marked)).toBe(true)
  expect(marked.input).toBe(input)
})

test.each([[{ x: 1 }], [[new Float64Array(1)]], [5], [null], ['text']])('%j cannot: it is to be scattered', (input) => {
  expect(() => shared(input as never)).toThrow('shared() takes a future, a scattered object or an array: scatter the')
})

test('what is shared has the type that the task sees', () => {
  const scatter = (): ScatteredObject<{ grid: Float64Array }> => undefined as never
  expectTypeOf(() => shared(scatter())).returns.toEqualTypeOf<SharedInput<{ grid: Float64Array }>>()
  expectTypeOf(() => shared(new Float64Array(1))).returns.toExtend<SharedInput<Float64Array>>()
})
