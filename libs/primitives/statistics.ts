/** Statistics of a list of numbers. */
export interface Statistics {
  readonly n: number
  readonly mean: number
  /** Of the sample, with n − 1 below the root; NaN for one number. */
  readonly std: number
  /** The square of `std`. */
  readonly variance: number
  readonly min: number
  readonly max: number
  /** By probability, as asked for: `quantiles['0.5']` is the median. */
  readonly quantiles: Readonly<Record<string, number>>
}

/** Quantiles that are given unless others are asked for. */
export const usualQuantiles: readonly number[] = [0.05, 0.25, 0.5, 0.75, 0.95]

/**
 * n, mean, standard deviation, extremes and quantiles of numbers: of results of `distributeComputation`, for example. The mean is
 * corrected by the sum of the deviations from it, the variance by their square (Chan, Golub & LeVeque 1983), so that both are
 * right to the last digits. Quantiles interpolate linearly between order statistics (Hyndman & Fan 1996, type 7, as NumPy's).
 *
 * @param results float64[n], n ≥ 1, none NaN.
 * @param quantiles probabilities in [0, 1].
 * @throws RangeError when there are none, or one is NaN (its index is named), or a probability lies outside [0, 1].
 */
export function aggregateStatistics(
  results: Iterable<number>,
  quantiles: readonly number[] = usualQuantiles,
): Statistics {
  const values = Float64Array.from(results)
  const n = values.length
  if (n === 0) throw new RangeError('aggregateStatistics: there are no results: give at least one')
  const bad = values.findIndex(Number.isNaN)
  if (bad >= 0) throw new RangeError(`aggregateStatistics: result ${bad} is not a number; leave out what failed`)
  const rough = sum(values) / n
  let deviation = 0
  let squares = 0
  for (const value of values) {
    deviation += value - rough
    squares += (value - rough) ** 2
  }
  const mean = rough + deviation / n
  const variance = n > 1 ? (squares - deviation ** 2 / n) / (n - 1) : NaN
  const sorted = values.sort()
  return {
    ...{ n, mean, variance, std: Math.sqrt(variance), min: sorted[0]!, max: sorted[n - 1]! },
    quantiles: Object.fromEntries(quantiles.map((p) => [String(p), quantileSorted(sorted, p)])),
  }
}

/**
 * The quantile of sorted numbers, interpolated linearly.
 * @throws RangeError for a probability outside [0, 1].
 */
export function quantileSorted(sorted: Float64Array, probability: number): number {
  checkProbability(probability)
  const place = (sorted.length - 1) * probability
  const below = Math.floor(place)
  const low = sorted[below]!
  return below + 1 < sorted.length ? low + (place - below) * (sorted[below + 1]! - low) : low
}

/** @throws RangeError for what is no probability. */
export function checkProbability(probability: number): void {
  if (probability >= 0 && probability <= 1) return
  throw new RangeError(`the probability of a quantile is ${probability}; it must lie in [0, 1]`)
}

function sum(values: Float64Array): number {
  let total = 0
  for (const value of values) total += value
  return total
}
