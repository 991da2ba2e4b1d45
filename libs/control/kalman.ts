import { CholeskyDecomposition, Matrix } from 'ml-matrix'

import { readMatrix, readSymmetric, sizeOfSquare, symmetrise, writeMatrix } from './dense-matrix.js'
import { solveDiscreteRiccati } from './riccati.js'

/** x⁺ = A x + B u + w, y = C x + v, with noises w ~ N(0, W) and v ~ N(0, V) apart from each other. All row-major. */
export interface ObservedSystem {
  /** float64[n, n]. */
  readonly A: Float64Array
  /** float64[n, m]; no input when left out. */
  readonly B?: Float64Array
  /** float64[p, n]. */
  readonly C: Float64Array
  /** float64[n, n], symmetric, positive semidefinite. */
  readonly W: Float64Array
  /** float64[p, p], symmetric, positive definite. */
  readonly V: Float64Array
}

/** What is known of a state. */
export interface Belief {
  /** float64[n]. */
  readonly mean: Float64Array
  /** float64[n, n]. */
  readonly covariance: Float64Array
}

export interface UpdatedBelief extends Belief {
  /** y - C x, float64[p]. */
  readonly innovation: Float64Array
  /** float64[n, p]. */
  readonly gain: Float64Array
  /** Of the measurement, before it was known. */
  readonly logLikelihood: number
}

/**
 * One step of time (Kalman, J. Basic Engineering 82 (1960) 35).
 * @param input float64[m], when the system has one.
 * @throws RangeError naming the argument that is malformed.
 */
export function predictBelief(system: ObservedSystem, belief: Belief, input?: Float64Array): Belief {
  const n = sizeOfSquare('A', system.A)
  const a = readMatrix('A', system.A, n, n)
  const w = readSymmetric('W', system.W, n)
  const mean = a.mmul(readMatrix('mean', belief.mean, n, 1))
  if (input !== undefined) {
    const b = readMatrix('B', system.B ?? new Float64Array(), n, input.length)
    mean.add(b.mmul(readMatrix('input', input, input.length, 1)))
  }
  const p = readSymmetric('covariance', belief.covariance, n)
  return {
    mean: writeMatrix(mean),
    covariance: writeMatrix(symmetrise(a.mmul(p).mmul(a.transpose()).add(w))),
  }
}

/**
 * What a measurement adds, with the covariance in Joseph's form, which stays positive semidefinite.
 * @param measurement y, float64[p].
 * @throws RangeError naming the argument that is malformed; Error when the measurement's covariance is singular.
 */
export function updateBelief(system: ObservedSystem, belief: Belief, measurement: Float64Array): UpdatedBelief {
  const n = sizeOfSquare('A', system.A)
  const p = sizeOfSquare('V', system.V)
  const c = readMatrix('C', system.C, p, n)
  const v = readSymmetric('V', system.V, p)
  const prior = readSymmetric('covariance', belief.covariance, n)
  const mean = readMatrix('mean', belief.mean, n, 1)
  const innovation = Matrix.sub(readMatrix('measurement', measurement, p, 1), c.mmul(mean))
  const spread = new CholeskyDecomposition(symmetrise(c.mmul(prior).mmul(c.transpose()).add(v)))
  if (!spread.isPositiveDefinite()) {
    throw new Error('the covariance C P Cᵀ + V of the measurement is singular; every measurement needs some noise in V')
  }
  const gain = spread.solve(c.mmul(prior)).transpose()
  const rest = Matrix.sub(Matrix.eye(n), gain.mmul(c))
  const covariance = rest.mmul(prior).mmul(rest.transpose()).add(gain.mmul(v).mmul(gain.transpose()))
  const distance = innovation.transpose().mmul(spread.solve(innovation)).get(0, 0)
  const logDeterminant = 2 * spread.lowerTriangularMatrix.diagonal().reduce((sum, value) => sum + Math.log(value), 0)
  return {
    mean: writeMatrix(Matrix.add(mean, gain.mmul(innovation))),
    covariance: writeMatrix(symmetrise(covariance)),
    innovation: writeMatrix(innovation),
    gain: writeMatrix(gain),
    logLikelihood: -0.5 * (distance + logDeterminant + p * Math.log(2 * Math.PI)),
  }
}

export interface SteadyFilter {
  /** float64[n, n]: before a measurement. */
  readonly prior: Float64Array
  /** float64[n, n]: after it. */
  readonly posterior: Float64Array
  /** float64[n, p]: of the update. */
  readonly gain: Float64Array
}

/**
 * What the filter comes to after many steps: the Riccati equation of the dual system.
 * @throws RangeError naming the argument that is malformed; Error when a growing mode is not seen.
 */
export function solveSteadyFilter(system: ObservedSystem): SteadyFilter {
  const n = sizeOfSquare('A', system.A)
  const p = sizeOfSquare('V', system.V)
  const transposed = (name: string, values: Float64Array, rows: number, columns: number): Float64Array =>
    writeMatrix(readMatrix(name, values, rows, columns).transpose())
  const { X: prior } = solveDiscreteRiccati({
    A: transposed('A', system.A, n, n),
    B: transposed('C', system.C, p, n),
    Q: system.W,
    R: system.V,
  })
  const belief = { mean: new Float64Array(n), covariance: prior }
  const { covariance: posterior, gain } = updateBelief(system, belief, new Float64Array(p))
  return { prior, posterior, gain }
}
