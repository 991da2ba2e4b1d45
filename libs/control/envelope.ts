/**
 * A symmetric matrix of which each row of the lower triangle is stored from its first nonzero to the diagonal: the envelope
 * (skyline) of George & Liu, Computer Solution of Large Sparse Positive Definite Systems (1981), ch. 4. Elimination fills
 * nothing outside it. A dense matrix is one whose rows all start at column 0; a transcribed trajectory, ordered along time,
 * is a narrow band; a few parameters at the end are a few long rows.
 */
export interface Envelope {
  readonly size: number
  /** int32[size]: the column at which row i starts. */
  readonly first: Int32Array
  /** int32[size + 1]: entry (i, j) is stored at start[i] + j - first[i]. */
  readonly start: Int32Array
}

/** @param first int32[size], the first column of each row, at most the row itself. */
export function createEnvelope(first: Int32Array): Envelope {
  const size = first.length
  const start = new Int32Array(size + 1)
  for (let i = 0; i < size; i++) start[i + 1] = start[i]! + i - first[i]! + 1
  return { size, first, start }
}

/** Where entry (row, column), row ≥ column, is stored. */
export function positionOf(envelope: Envelope, row: number, column: number): number {
  return envelope.start[row]! + column - envelope.first[row]!
}

/**
 * Factors L D Lᵀ in place without pivoting: L's rows replace the matrix, D its diagonal. That exists for every order of a
 * quasidefinite matrix (Vanderbei, SIAM J. Optim. 5 (1995) 100), and where it exists the signs of D are the inertia.
 * @param values float64[start[size]], overwritten.
 * @returns the number of negative pivots, or -1 when a pivot is too small to divide by.
 */
export function factorEnvelope({ size, first, start }: Envelope, values: Float64Array): number {
  let negative = 0
  for (let i = 0; i < size; i++) {
    const firstI = first[i]!
    const offsetI = start[i]! - firstI
    for (let j = firstI + 1; j < i; j++) {
      const firstJ = first[j]!
      const offsetJ = start[j]! - firstJ
      let sum = values[offsetI + j]!
      for (let k = firstI > firstJ ? firstI : firstJ; k < j; k++) sum -= values[offsetI + k]! * values[offsetJ + k]!
      values[offsetI + j] = sum
    }
    const diagonal = values[offsetI + i]!
    let pivot = diagonal
    for (let j = firstI; j < i; j++) {
      const scaled = values[offsetI + j]!
      const lower = scaled / values[start[j + 1]! - 1]!
      pivot -= scaled * lower
      values[offsetI + j] = lower
    }
    if (!(Math.abs(pivot) > 1e-15 * Math.abs(diagonal)) || !Number.isFinite(pivot)) return -1
    if (pivot < 0) negative++
    values[offsetI + i] = pivot
  }
  return negative
}

/** Solves L D Lᵀ x = b for the factor left by `factorEnvelope`; `x` holds b before and x after, float64[size]. */
export function solveEnvelope({ size, first, start }: Envelope, factor: Float64Array, x: Float64Array): void {
  for (let i = 0; i < size; i++) {
    const offset = start[i]! - first[i]!
    let sum = x[i]!
    for (let j = first[i]!; j < i; j++) sum -= factor[offset + j]! * x[j]!
    x[i] = sum
  }
  for (let i = 0; i < size; i++) x[i] = x[i]! / factor[start[i + 1]! - 1]!
  for (let i = size - 1; i >= 0; i--) {
    const offset = start[i]! - first[i]!
    const value = x[i]!
    for (let j = first[i]!; j < i; j++) x[j] = x[j]! - factor[offset + j]! * value
  }
}
