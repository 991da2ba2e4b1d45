/** The value in the middle; between the two in the middle where their number is even. */
export function median(values: readonly number[]): number {
  if (values.length === 0) throw new RangeError('no values: there is no median')
  const sorted = [...values].sort((a, b) => a - b)
  const upper = sorted[Math.floor(sorted.length / 2)]!
  return sorted.length % 2 === 1 ? upper : (sorted[sorted.length / 2 - 1]! + upper) / 2
}

/** The smallest value that at least this share of the values (0 < share ≤ 1) does not exceed: the nearest-rank percentile. */
export function percentile(values: readonly number[], share: number): number {
  if (values.length === 0) throw new RangeError('no values: there is no percentile')
  if (!(share > 0 && share <= 1)) throw new RangeError(`a percentile's share is over 0 and at most 1, got ${share}`)
  const sorted = [...values].sort((a, b) => a - b)
  return sorted[Math.ceil(share * sorted.length) - 1]!
}
