import { inverse, Matrix } from 'ml-matrix'

import { readMatrix, readSymmetric, sizeOfSquare, symmetrise, writeMatrix } from './dense-matrix.js'

const ITERATIONS = 60
const CONVERGED = 1e-15

/**
 * The X of AᵀX + X A + Q = 0 for a stable A, by the matrix sign function (Roberts, Int. J. Control 32 (1980) 677).
 * @param A float64[n, n], all eigenvalues left of the imaginary axis.
 * @param Q float64[n, n], symmetric.
 * @returns float64[n, n], symmetric.
 * @throws RangeError when A is not stable, or an argument is malformed.
 */
export function solveContinuousLyapunov(A: Float64Array, Q: Float64Array): Float64Array {
  const n = sizeOfSquare('A', A)
  const x = continuousLyapunov(readMatrix('A', A, n, n), readSymmetric('Q', Q, n))
  if (x === undefined) throw new RangeError('A has an eigenvalue on or right of the imaginary axis; it must be stable')
  return writeMatrix(x)
}

/** Nothing when A is not stable. */
export function continuousLyapunov(a: Matrix, q: Matrix): Matrix | undefined {
  let [sign, sum] = [a, q]
  const n = a.rows
  for (let k = 0; k < ITERATIONS; k++) {
    const inverted = invert(sign)
    if (inverted === undefined) return undefined
    const scale = Math.sqrt(inverted.norm() / sign.norm())
    const next = Matrix.add(Matrix.mul(sign, scale), Matrix.mul(inverted, 1 / scale)).mul(0.5)
    const turned = inverted.transpose().mmul(sum).mmul(inverted)
    sum = symmetrise(Matrix.add(Matrix.mul(sum, scale), turned.mul(1 / scale)).mul(0.5))
    const change = Matrix.sub(next, sign).norm()
    sign = next
    if (change <= 1e-14 * sign.norm() * n) break
  }
  const stable = Matrix.add(sign, Matrix.eye(n)).norm() <= 1e-6 * n
  return stable ? sum.mul(0.5) : undefined
}

/**
 * The X of X = AᵀX A + Q for a stable A, by doubling (Smith, SIAM J. Appl. Math. 16 (1968) 198).
 * @param A float64[n, n], all eigenvalues inside the unit circle.
 * @param Q float64[n, n], symmetric.
 * @returns float64[n, n], symmetric.
 * @throws RangeError when A is not stable, or an argument is malformed.
 */
export function solveDiscreteLyapunov(A: Float64Array, Q: Float64Array): Float64Array {
  const n = sizeOfSquare('A', A)
  const x = discreteLyapunov(readMatrix('A', A, n, n), readSymmetric('Q', Q, n))
  if (x === undefined) throw new RangeError('A has an eigenvalue on or outside the unit circle; it must be stable')
  return writeMatrix(x)
}

/** Nothing when A is not stable. */
export function discreteLyapunov(a: Matrix, q: Matrix): Matrix | undefined {
  let [power, sum] = [a, q]
  for (let k = 0; k < ITERATIONS; k++) {
    const more = symmetrise(power.transpose().mmul(sum).mmul(power))
    sum = Matrix.add(sum, more)
    power = power.mmul(power)
    const size = power.norm()
    if (!(size < 1e100) || !Number.isFinite(sum.norm())) return undefined
    if (size <= CONVERGED || (more.norm() <= CONVERGED * sum.norm() && size < 1e-3)) return sum
  }
  return undefined
}

/** Nothing when the matrix is singular. */
export function invert(matrix: Matrix): Matrix | undefined {
  try {
    const inverted = inverse(matrix)
    return Number.isFinite(inverted.norm()) ? inverted : undefined
  } catch {
    return undefined
  }
}
