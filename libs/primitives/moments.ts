/** Count, mean, sum of squared deviations and extremes of numbers. */
export interface Moments {
  readonly n: number
  readonly mean: number
  readonly squares: number
  readonly min: number
  readonly max: number
}

/** How many numbers `Moments` are when they travel. */
export const momentsLength = 5

export const noMoments: Moments = { n: 0, mean: 0, squares: 0, min: Infinity, max: -Infinity }

/**
 * The moments of every `stride`-th value, in two passes: mean, then squares about it.
 * @param values float64, from `from` up to but not with `to`, one in `stride`.
 */
export function momentsOf(values: Float64Array, from: number, to: number, stride: number): Moments {
  let n = 0
  let sum = 0
  let min = Infinity
  let max = -Infinity
  for (let i = from; i < to; i += stride) {
    const value = values[i]!
    sum += value
    if (value < min) min = value
    if (value > max) max = value
    n++
  }
  const mean = sum / n
  let squares = 0
  for (let i = from; i < to; i += stride) squares += (values[i]! - mean) ** 2
  return { n, mean, squares, min, max }
}

/** The moments of two lots together (Chan, Golub & LeVeque 1983). In one order always, it is the same to the last bit. */
export function mergeMoments(a: Moments, b: Moments): Moments {
  if (a.n === 0) return b
  if (b.n === 0) return a
  const n = a.n + b.n
  const delta = b.mean - a.mean
  return {
    n,
    mean: a.mean + delta * (b.n / n),
    squares: a.squares + b.squares + delta * delta * ((a.n * b.n) / n),
    min: Math.min(a.min, b.min),
    max: Math.max(a.max, b.max),
  }
}

/** Writes moments at a place of an array. */
export function packMoments({ n, mean, squares, min, max }: Moments, into: Float64Array, at: number): void {
  into.set([n, mean, squares, min, max], at * momentsLength)
}

/** Reads what `packMoments` wrote. */
export function unpackMoments(from: Float64Array, at: number): Moments {
  const begin = at * momentsLength
  return {
    n: from[begin]!,
    mean: from[begin + 1]!,
    squares: from[begin + 2]!,
    min: from[begin + 3]!,
    max: from[begin + 4]!,
  }
}

/** The variance of the sample, n − 1 below; NaN for one number. */
export function varianceOf({ n, squares }: Moments): number {
  return n > 1 ? squares / (n - 1) : NaN
}
