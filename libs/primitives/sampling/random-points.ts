import { createRng } from '#libs/domain'

/**
 * Uniform points: point i takes the next `d` numbers of stream 0 of the seed.
 * @returns n points, float64[d] each, in [0, 1)^d.
 */
export function randomPoints(n: number, d: number, seed: bigint | number): Float64Array[] {
  const rng = createRng(seed, 0)
  return Array.from({ length: n }, () => rng.uniforms(d))
}
