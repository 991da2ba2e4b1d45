import { createRng } from '#libs/domain'

import { checkPoints } from './point-count.js'

/**
 * A Latin hypercube (McKay, Beckman & Conover 1979): in every dimension each of the n slices of [0, 1) holds one point. Which slice
 * point i has in dimension j is the rank of uniform number i of stream 2j of the seed; where in the slice, number i of stream 2j + 1.
 * @returns n points, float64[d] each, in [0, 1)^d.
 */
export function latinHypercube(n: number, d: number, seed: bigint | number = 0): Float64Array[] {
  checkPoints('latinHypercube', n, d)
  const points = Array.from({ length: n }, () => new Float64Array(d))
  for (let j = 0; j < d; j++) {
    const keys = createRng(seed, 2 * j).uniforms(n)
    const jitter = createRng(seed, 2 * j + 1).uniforms(n)
    const order = Array.from(keys.keys()).sort((a, b) => keys[a]! - keys[b]! || a - b)
    for (const [rank, i] of order.entries()) points[i]![j] = (rank + jitter[i]!) / n
  }
  return points
}
