import { expect, test } from 'vitest'

import { haltonPoints } from './halton.js'
import { latinHypercube } from './latin-hypercube.js'
import { sobolPoints } from './sobol.js'

test.each([
  [8, 3],
  [1000, 10],
  [1, 1],
  [17, 2],
])('a Latin hypercube of %d points in %d dimensions has one point in each slice', (n, d) => {
  const points = latinHypercube(n, d, 7)
  for (let j = 0; j < d; j++) {
    const slices = points.map((point) => Math.floor(n * point[j]!)).sort((a, b) => a - b)
    expect(slices).toEqual(Array.from({ length: n }, (_, k) => k))
  }
})

test('the first points of the sequences are those of the literature', () => {
  // Halton (1960): 1/2, 1/4, 3/4, … in base 2; 1/3, 2/3, 1/9, … in base 3.
  expect(haltonPoints(4, 2).map((point) => [...point])).toEqual([
    [0, 0],
    [1 / 2, 1 / 3],
    [1 / 4, 2 / 3],
    [3 / 4, 1 / 9],
  ])
  // Joe & Kuo's own program, dimensions 1 to 3, in Gray-code order.
  expect(sobolPoints(5, 3).map((point) => [...point])).toEqual([
    [0, 0, 0],
    [0.5, 0.5, 0.5],
    [0.75, 0.25, 0.25],
    [0.25, 0.75, 0.75],
    [0.375, 0.375, 0.625],
  ])
})

test('a sequence goes on from any point', () => {
  expect(sobolPoints(3, 40, { start: 5 })).toEqual(sobolPoints(8, 40).slice(5))
  expect(haltonPoints(3, 4, 5)).toEqual(haltonPoints(8, 4).slice(5))
})

test.each([undefined, 3])('2^k Sobol points have one in each of 2^k slices, shifted by seed %s or not', (seed) => {
  const points = sobolPoints(256, 40, { seed })
  for (let j = 0; j < 40; j++) {
    expect(new Set(points.map((point) => Math.floor(256 * point[j]!))).size).toBe(256)
  }
})

test('what there are no points for is refused', () => {
  expect(() => sobolPoints(4, 41)).toThrow('d is 41')
  expect(() => latinHypercube(-1, 2)).toThrow('n is -1')
  expect(() => haltonPoints(1, 0)).toThrow('d is 0')
})
