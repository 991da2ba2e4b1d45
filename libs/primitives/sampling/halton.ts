import { checkPoints } from './point-count.js'

/**
 * The Halton sequence (Halton 1960): dimension j counts in the base of the j-th prime, with the digits mirrored at the point. Above
 * some ten dimensions its early points line up; take `sobolPoints` there.
 * @param start number of the first point; point 0 is the origin.
 * @returns points `start` to `start + n − 1`, float64[d] each, in [0, 1)^d.
 */
export function haltonPoints(n: number, d: number, start = 0): Float64Array[] {
  checkPoints('haltonPoints', n, d)
  const bases = firstPrimes(d)
  return Array.from({ length: n }, (_, i) => Float64Array.from(bases, (base) => radicalInverse(start + i, base)))
}

function radicalInverse(index: number, base: number): number {
  let numerator = 0
  let denominator = 1
  for (let rest = index; rest > 0; rest = Math.floor(rest / base)) {
    numerator = numerator * base + (rest % base)
    denominator *= base
  }
  return numerator / denominator
}

function firstPrimes(count: number): number[] {
  const primes: number[] = []
  for (let candidate = 2; primes.length < count; candidate++) {
    if (primes.every((prime) => candidate % prime !== 0)) primes.push(candidate)
  }
  return primes
}
