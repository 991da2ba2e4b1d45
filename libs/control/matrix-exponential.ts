import { Matrix, solve } from 'ml-matrix'

import { joinBlocks, readMatrix, sizeOfSquare, writeMatrix } from './dense-matrix.js'

/** Numerators of the [13/13] Padé approximant, and the norm up to which it is exact to rounding. */
const PADE = [
  ...[64764752532480000, 32382376266240000, 7771770303897600, 1187353796428800, 129060195264000, 10559470521600],
  ...[670442572800, 33522128640, 1323241920, 40840800, 960960, 16380, 182, 1],
]
const PADE_NORM = 5.371920351148152

/**
 * exp(A) by scaling and squaring with the [13/13] Padé approximant (Higham, SIAM J. Matrix Anal. Appl. 26 (2005) 1179).
 * @param A float64[n, n], row-major.
 * @returns float64[n, n].
 * @throws RangeError when A is not square or not finite.
 */
export function exponentiate(A: Float64Array): Float64Array {
  const n = sizeOfSquare('A', A)
  return writeMatrix(exponential(readMatrix('A', A, n, n)))
}

export function exponential(a: Matrix): Matrix {
  const norm = a
    .transpose()
    .to2DArray()
    .reduce((most, column) => Math.max(most, sumAbs(column)), 0)
  const squarings = Math.max(0, Math.ceil(Math.log2(norm / PADE_NORM)))
  const scaled = Matrix.mul(a, 2 ** -squarings)
  const identity = Matrix.eye(a.rows)
  const [a2, even, odd] = [scaled.mmul(scaled), Matrix.zeros(a.rows, a.rows), Matrix.zeros(a.rows, a.rows)]
  let power = identity
  for (let k = 0; k < PADE.length; k += 2) {
    even.add(Matrix.mul(power, PADE[k]!))
    odd.add(Matrix.mul(power, PADE[k + 1]!))
    power = power.mmul(a2)
  }
  const u = scaled.mmul(odd)
  let result = solve(Matrix.sub(even, u), Matrix.add(even, u))
  for (let k = 0; k < squarings; k++) result = result.mmul(result)
  return result
}

/** x' = A x + B u + white noise of intensity W, over one step: x⁺ = Φ x + Γ u + noise of covariance V. */
export interface DiscreteSystem {
  /** float64[n, n]. */
  readonly A: Float64Array
  /** float64[n, m]. */
  readonly B: Float64Array
  /** float64[n, n]; zeros when no noise is given. */
  readonly noise: Float64Array
}

/**
 * A linear system sampled with its input held over each step, and the covariance that noise gathers in a step (Van Loan, IEEE
 * Trans. Automatic Control 23 (1978) 395).
 * @param system A float64[n, n], B float64[n, m], W float64[n, n] the intensity of the noise, all row-major.
 * @param step in the unit of time, above 0.
 * @throws RangeError naming the argument that is malformed.
 */
export function discretizeLinear(
  system: { readonly A: Float64Array; readonly B: Float64Array; readonly W?: Float64Array },
  step: number,
): DiscreteSystem {
  if (!(step > 0 && Number.isFinite(step))) throw new RangeError(`step is ${step}; it must be above 0 and finite`)
  const n = sizeOfSquare('A', system.A)
  const a = readMatrix('A', system.A, n, n)
  const m = system.B.length / n
  const b = readMatrix('B', system.B, n, Math.round(m))
  const held = exponential(joinBlocks(a, b, Matrix.zeros(b.columns, n), Matrix.zeros(b.columns, b.columns)).mul(step))
  const phi = held.subMatrix(0, n - 1, 0, n - 1)
  const gamma = b.columns === 0 ? Matrix.zeros(n, 0) : held.subMatrix(0, n - 1, n, n + b.columns - 1)
  const w = system.W === undefined ? Matrix.zeros(n, n) : readMatrix('W', system.W, n, n)
  const pair = exponential(joinBlocks(Matrix.mul(a, -1), w, Matrix.zeros(n, n), a.transpose()).mul(step))
  const noise = phi.mmul(pair.subMatrix(0, n - 1, n, 2 * n - 1))
  return { A: writeMatrix(phi), B: writeMatrix(gamma), noise: writeMatrix(noise) }
}

function sumAbs(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + Math.abs(value), 0)
}
