import { createRng } from '#libs/domain'

import { directions } from './joe-kuo-directions.js'
import { checkPoints } from './point-count.js'

const bits = 32
/** Dimensions for which there are direction numbers. */
export const mostSobolDimensions = directions.length + 1

/** How to take points of the sequence. */
export interface SobolOptions {
  /** Number of the first point; point 0 is the origin. */
  readonly start?: number
  /** Shifts all points by the same random digits, which keeps what is good about them; no shift unless given. */
  readonly seed?: bigint | number | undefined
}

/**
 * The Sobol' sequence in Gray-code order (Antonov & Saleev 1979) with the direction numbers of Joe & Kuo (2008). Take a power of
 * two of points. A digital shift (Owen 1995) makes of them an unbiased sample.
 * @returns n points, float64[d] each, in [0, 1)^d; d ≤ 40.
 */
export function sobolPoints(n: number, d: number, { start = 0, seed }: SobolOptions = {}): Float64Array[] {
  checkPoints('sobolPoints', n, d, mostSobolDimensions)
  if (!Number.isSafeInteger(start) || start < 0 || start + n > 2 ** bits) {
    throw new RangeError(`sobolPoints: points ${start} to ${start + n}; there are 2^${bits}`)
  }
  const columns = Array.from({ length: d }, (_, j) => directionNumbers(j))
  const shift = Uint32Array.from({ length: d }, (_, j) =>
    seed === undefined ? 0 : createRng(seed, j).integer(0, 2 ** bits),
  )
  const state = Uint32Array.from(columns, (column) => grayPoint(column, start))
  return Array.from({ length: n }, (_, i) => {
    const point = Float64Array.from(state, (word, j) => ((word ^ shift[j]!) >>> 0) / 2 ** bits)
    const bit = lowestZeroBit(start + i)
    for (let j = 0; j < d; j++) state[j]! ^= columns[j]![bit] ?? 0
    return point
  })
}

/** v₁ … v₃₂ of a dimension, as binary fractions of 32 digits. */
function directionNumbers(dimension: number): Uint32Array {
  const v = new Uint32Array(bits)
  if (dimension === 0) return v.map((_, k) => 2 ** (bits - 1 - k))
  const { a, m } = directions[dimension - 1]!
  const s = m.length
  for (let k = 0; k < bits; k++) {
    if (k < s) v[k] = m[k]! * 2 ** (bits - 1 - k)
    else {
      let word = v[k - s]! ^ (v[k - s]! >>> s)
      for (let i = 1; i < s; i++) if ((a >>> (s - 1 - i)) & 1) word ^= v[k - i]!
      v[k] = word
    }
  }
  return v
}

function grayPoint(column: Uint32Array, index: number): number {
  const gray = (index ^ Math.floor(index / 2)) >>> 0
  let word = 0
  for (let k = 0; k < bits; k++) if ((gray >>> k) & 1) word ^= column[k]!
  return word >>> 0
}

function lowestZeroBit(index: number): number {
  let bit = 0
  for (let rest = index; rest % 2 === 1; rest = Math.floor(rest / 2)) bit++
  return bit
}
