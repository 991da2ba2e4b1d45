import { expect, test } from 'vitest'

import { encodePayload, encodeValue } from './encode.js'
import { encodeFixedList, isFixed } from './fixed-list.js'

test.each([[[]], [[1.5]], [[NaN, -0, Infinity]], [['', 'naïve 𝄞', true, false, null, 2 ** 60]]])(
  'a list of what cannot change has the same bytes as any list: %j',
  (list) => {
    expect(list.every(isFixed)).toBe(true)
    expect([...encodeFixedList(list)]).toEqual([...encodePayload(encodeValue(list, 'a list'))])
  },
)

test('a reference, and what may be refused, is not fixed', () => {
  for (const value of [{}, [], undefined, 1n, Symbol('x'), () => 0, 'x'.repeat(1_001), '\ud800']) {
    expect(isFixed(value)).toBe(false)
  }
})
