import fc from 'fast-check'
import { expect, test } from 'vitest'
import { orderByNeighbours } from './neighbour-order.js'

test('first the ends, then the middles between those that are there', () => {
  expect(orderByNeighbours(9)).toEqual([[0], [8], [4], [2, 6], [1, 3, 5, 7]])
  expect(orderByNeighbours(1)).toEqual([[0]])
  expect(orderByNeighbours(0)).toEqual([])
})

test('everything comes once, and each has a neighbour of an earlier wave at most as far away as any of its own wave', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 300 }), (count) => {
      const waves = orderByNeighbours(count)
      expect(waves.flat().sort((a, b) => a - b)).toEqual(Array.from({ length: count }, (_, place) => place))
      for (const [nth, wave] of waves.entries()) {
        const before = waves.slice(0, nth).flat()
        for (const place of nth < 2 ? [] : wave) {
          const nearest = Math.min(...before.map((other) => Math.abs(other - place)))
          const ofOwn = Math.min(...wave.filter((other) => other !== place).map((other) => Math.abs(other - place)))
          expect(nearest).toBeLessThanOrEqual(ofOwn)
        }
      }
    }),
  )
})
