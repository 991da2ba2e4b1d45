import { Matrix, QrDecomposition, solve } from 'ml-matrix'

import { joinBlocks, readMatrix, readSymmetric, sizeOfSquare, symmetrise, writeMatrix } from './dense-matrix.js'
import { continuousLyapunov, discreteLyapunov, invert } from './lyapunov.js'
import { blameMode, eigenvaluesOf, type Eigenvalue } from './modes.js'

/** A linear system and the weights of its quadratic cost, all row-major. */
export interface LinearQuadratic {
  /** float64[n, n]. */
  readonly A: Float64Array
  /** float64[n, m]. */
  readonly B: Float64Array
  /** float64[n, n], symmetric: of the states. */
  readonly Q: Float64Array
  /** float64[m, m], symmetric: of the controls. */
  readonly R: Float64Array
}

export interface RiccatiSolution {
  /** float64[n, n], symmetric: xᵀX x is the optimal cost from x. */
  readonly X: Float64Array
  /** float64[m, n]: the optimal control is u = -K x. */
  readonly K: Float64Array
  /** Of A - B K; left of the imaginary axis, or inside the unit circle. */
  readonly eigenvalues: readonly Eigenvalue[]
  /** The norm of what is left of the equation, over the norm of X and the weights. */
  readonly residual: number
  readonly iterations: number
}

export interface Matrices {
  readonly a: Matrix
  readonly b: Matrix
  readonly q: Matrix
  readonly r: Matrix
}

const ITERATIONS = 100
const NEWTON_STEPS = 3
const CONVERGED = 1e-14
const ACCEPTED_RESIDUAL = 1e-8

/** @throws RangeError naming the matrix that is malformed. */
export function readLinearQuadratic({ A, B, Q, R }: LinearQuadratic): Matrices {
  const n = sizeOfSquare('A', A)
  const m = sizeOfSquare('R', R)
  return {
    a: readMatrix('A', A, n, n),
    b: readMatrix('B', B, n, m),
    q: readSymmetric('Q', Q, n),
    r: readSymmetric('R', R, m),
  }
}

/**
 * The stabilising X of AᵀX + X A - X B R⁻¹BᵀX + Q = 0, by the sign function of the Hamiltonian matrix (Byers, Linear Algebra
 * Appl. 85 (1987) 267), then Newton's method (Kleinman, IEEE Trans. Automatic Control 13 (1968) 114).
 * @throws RangeError when a matrix is malformed or R is singular; Error when there is no stabilising solution, naming the mode
 * that no input reaches or no weight sees.
 */
export function solveContinuousRiccati(system: LinearQuadratic): RiccatiSolution {
  const { a, b, q, r } = readLinearQuadratic(system)
  const weighted = solveSymmetric(r, b.transpose())
  if (weighted === undefined) throw new RangeError('R is singular; every control needs a weight above 0')
  const g = symmetrise(b.mmul(weighted))
  const n = a.rows
  const sign = signOfHamiltonian(a, g, q)
  const blame = (): Error => blameMode('continuous', a, b, q)
  if (sign === undefined) throw blame()
  const { matrix: w, iterations } = sign
  const identity = Matrix.eye(n)
  const w11 = w.subMatrix(0, n - 1, 0, n - 1)
  const w12 = w.subMatrix(0, n - 1, n, 2 * n - 1)
  const w21 = w.subMatrix(n, 2 * n - 1, 0, n - 1)
  const w22 = w.subMatrix(n, 2 * n - 1, n, 2 * n - 1)
  const left = stack(w12, Matrix.add(w22, identity))
  const right = stack(Matrix.add(w11, identity), w21).mul(-1)
  let x: Matrix
  try {
    x = symmetrise(new QrDecomposition(left).solve(right))
  } catch {
    throw blame()
  }
  const miss = (at: Matrix): Matrix =>
    symmetrise(Matrix.add(a.transpose().mmul(at), at.mmul(a)).sub(at.mmul(g).mmul(at)).add(q))
  for (let k = 0; k < NEWTON_STEPS; k++) {
    const closed = Matrix.sub(a, g.mmul(x))
    const step = continuousLyapunov(closed, miss(x))
    if (step === undefined) throw blame()
    x = symmetrise(Matrix.add(x, step))
    if (step.norm() <= CONVERGED * x.norm()) break
  }
  const residual = miss(x).norm() / (q.norm() + 2 * a.norm() * x.norm() + g.norm() * x.norm() ** 2 || 1)
  const gain = weighted.mmul(x)
  const eigenvalues = eigenvaluesOf(Matrix.sub(a, b.mmul(gain)))
  if (!(residual <= ACCEPTED_RESIDUAL) || eigenvalues.some(({ real }) => !(real < 0))) throw blame()
  return { X: writeMatrix(x), K: writeMatrix(gain), eigenvalues, residual, iterations }
}

/**
 * The stabilising X of X = AᵀX A - AᵀX B (R + BᵀX B)⁻¹BᵀX A + Q by structure-preserving doubling (Chu, Fan, Lin & Wang, Int. J.
 * Control 77 (2004) 767), then Newton's method (Hewer, IEEE Trans. Automatic Control 16 (1971) 382). R may be singular where
 * R + BᵀX B is not: the equation is then shifted by a multiple of the identity first.
 * @throws RangeError when a matrix is malformed; Error when there is no stabilising solution, naming the mode.
 */
export function solveDiscreteRiccati(system: LinearQuadratic): RiccatiSolution {
  const matrices = readLinearQuadratic(system)
  const { a, b, q, r } = matrices
  const blame = (): Error => blameMode('discrete', a, b, q)
  const doubled = doubleFrom(matrices)
  if (doubled === undefined) throw blame()
  let { x } = doubled
  const gainOf = (at: Matrix): Matrix | undefined => {
    const bx = b.transpose().mmul(at)
    return solveSymmetric(symmetrise(Matrix.add(r, bx.mmul(b))), bx.mmul(a))
  }
  for (let k = 0; k < NEWTON_STEPS; k++) {
    const gain = gainOf(x)
    if (gain === undefined) throw blame()
    const closed = Matrix.sub(a, b.mmul(gain))
    const weight = symmetrise(Matrix.add(q, gain.transpose().mmul(r).mmul(gain)))
    const next = discreteLyapunov(closed, weight)
    if (next === undefined) throw blame()
    const change = Matrix.sub(next, x).norm()
    x = symmetrise(next)
    if (change <= CONVERGED * x.norm()) break
  }
  const gain = gainOf(x)
  if (gain === undefined) throw blame()
  const closed = Matrix.sub(a, b.mmul(gain))
  const miss = Matrix.sub(Matrix.add(a.transpose().mmul(x).mmul(closed), q), x).norm()
  const residual = miss / (x.norm() * (1 + a.norm() ** 2) + q.norm() || 1)
  const eigenvalues = eigenvaluesOf(closed)
  const isStable = eigenvalues.every(({ real, imaginary }) => Math.hypot(real, imaginary) < 1)
  if (!(residual <= ACCEPTED_RESIDUAL) || !isStable) throw blame()
  return { X: writeMatrix(x), K: writeMatrix(gain), eigenvalues, residual, iterations: doubled.iterations }
}

function doubleFrom({ a, b, q, r }: Matrices): { x: Matrix; iterations: number } | undefined {
  const n = a.rows
  const identity = Matrix.eye(n)
  const hasWeights = solveSymmetric(r, b.transpose()) !== undefined
  const shift = hasWeights ? 0 : 1 + q.norm()
  const s = Matrix.mul(identity, shift)
  const weight = symmetrise(Matrix.add(r, b.transpose().mmul(b).mul(shift)))
  const crossed = solveSymmetric(weight, b.transpose().mmul(a).mul(shift))
  const weighted = solveSymmetric(weight, b.transpose())
  if (crossed === undefined || weighted === undefined) return undefined
  let power = Matrix.sub(a, b.mmul(crossed))
  let g = symmetrise(b.mmul(weighted))
  const shifted = Matrix.add(Matrix.sub(q, s), a.transpose().mmul(a).mul(shift))
  let h = symmetrise(Matrix.sub(shifted, crossed.transpose().mmul(weight).mmul(crossed)))
  for (let iterations = 1; iterations <= ITERATIONS; iterations++) {
    const middle = invert(Matrix.add(identity, g.mmul(h)))
    if (middle === undefined) return undefined
    const ahead = middle.mmul(power)
    const more = symmetrise(power.transpose().mmul(h).mmul(ahead))
    const moreG = symmetrise(power.mmul(middle).mmul(g).mmul(power.transpose()))
    power = power.mmul(ahead)
    g = Matrix.add(g, moreG)
    h = Matrix.add(h, more)
    if (!Number.isFinite(h.norm() + power.norm())) return undefined
    if (more.norm() <= CONVERGED * h.norm() || power.norm() <= Number.EPSILON)
      return { x: Matrix.add(h, s), iterations }
  }
  return undefined
}

function signOfHamiltonian(a: Matrix, g: Matrix, q: Matrix): { matrix: Matrix; iterations: number } | undefined {
  const minus = (matrix: Matrix): Matrix => Matrix.mul(matrix, -1)
  let matrix = joinBlocks(a, minus(g), minus(q), minus(a.transpose()))
  for (let iterations = 1; iterations <= ITERATIONS; iterations++) {
    const inverted = invert(matrix)
    if (inverted === undefined) return undefined
    const scale = Math.sqrt(inverted.norm() / matrix.norm())
    const next = Matrix.add(Matrix.mul(matrix, scale), Matrix.mul(inverted, 1 / scale)).mul(0.5)
    const change = Matrix.sub(next, matrix).norm()
    matrix = next
    if (change <= 1e-12 * matrix.norm()) return { matrix, iterations }
  }
  return undefined
}

function stack(above: Matrix, below: Matrix): Matrix {
  const both = Matrix.zeros(above.rows + below.rows, above.columns)
  return both.setSubMatrix(above, 0, 0).setSubMatrix(below, above.rows, 0)
}

/** Nothing when the matrix is singular to rounding. */
export function solveSymmetric(matrix: Matrix, right: Matrix): Matrix | undefined {
  const size = matrix.norm()
  const inverted = size === 0 ? undefined : invert(matrix)
  if (inverted === undefined || inverted.norm() * size > 1e15) return undefined
  return solve(matrix, right)
}
