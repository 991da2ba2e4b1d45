import fc from 'fast-check'
import { expect, test } from 'vitest'

import { ancestorsOf, planRelays } from './relay-tree.js'

test('a large body goes along a chain, a smaller one a tree', () => {
  expect(planRelays(32e6, 4)).toEqual([-1, 0, 1, 2])
  expect(planRelays(1e6, 6)).toEqual([-1, -1, 0, 0, 1, 1])
  expect(planRelays(1e6, 1)).toEqual([-1])
})

test('everybody gets it from somebody who comes before, whatever the numbers', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 1e9 }), fc.integer({ min: 1, max: 300 }), (byteLength, count) => {
      const parents = planRelays(byteLength, count)
      expect(parents).toHaveLength(count)
      for (const [index, parent] of parents.entries()) {
        expect(parent).toBeLessThan(index)
        const ancestors = ancestorsOf(parents, index)
        expect(ancestors.every((ancestor, k) => ancestor < (ancestors[k - 1] ?? index))).toBe(true)
        expect(parents[ancestors.at(-1) ?? index]).toBe(-1)
      }
    }),
  )
})
