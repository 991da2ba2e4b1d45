import { EigenvalueDecomposition, Matrix } from 'ml-matrix'

/** Polynomials that are orthonormal under a distribution. */
export interface OrthogonalFamily {
  /** √β₁, √β₂, …: t·p_k = √β_{k+1} p_{k+1} + √β_k p_{k−1}; the distribution is symmetric about 0. */
  readonly root: (k: number) => number
}

/** Legendre: uniform on [-1, 1]. */
export const legendre: OrthogonalFamily = { root: (k) => k / Math.sqrt(4 * k * k - 1) }

/** Hermite (probabilists'): standard normal. */
export const hermite: OrthogonalFamily = { root: (k) => Math.sqrt(k) }

/** The values of p₀ … p_degree at t, float64[degree + 1], by their recurrence. */
export function evaluatePolynomials({ root }: OrthogonalFamily, degree: number, t: number): Float64Array {
  const values = new Float64Array(degree + 1)
  values[0] = 1
  for (let k = 1; k <= degree; k++) {
    values[k] = (t * values[k - 1]! - (k > 1 ? root(k - 1) * values[k - 2]! : 0)) / root(k)
  }
  return values
}

/** Nodes and weights of Gauss quadrature; the weights sum to 1. */
export interface Quadrature {
  readonly nodes: Float64Array
  readonly weights: Float64Array
}

/**
 * Gauss quadrature with `count` nodes: nodes are the eigenvalues of the recurrence's tridiagonal matrix (Golub & Welsch 1969),
 * each improved by Newton's method; weights are the reciprocals of Σ p_k². Exact for polynomials up to degree 2·count − 1.
 */
export function gaussQuadrature(family: OrthogonalFamily, count: number): Quadrature {
  const jacobi = Matrix.zeros(count, count)
  for (let k = 1; k < count; k++) {
    jacobi.set(k, k - 1, family.root(k))
    jacobi.set(k - 1, k, family.root(k))
  }
  const { realEigenvalues } = new EigenvalueDecomposition(jacobi, { assumeSymmetric: true })
  const nodes = Float64Array.from(realEigenvalues, (node) => polish(family, count, node)).sort()
  // The middle of an odd number of nodes is 0, by symmetry.
  if (count % 2 === 1) nodes[(count - 1) / 2] = 0
  const weights = nodes.map(
    (node) => 1 / evaluatePolynomials(family, count - 1, node).reduce((sum, p) => sum + p * p, 0),
  )
  return { nodes, weights }
}

/** Newton's steps to the root of p_count near t: its derivative there follows from Christoffel and Darboux's identity. */
function polish(family: OrthogonalFamily, count: number, start: number): number {
  let t = start
  for (let step = 0; step < 3; step++) {
    const p = evaluatePolynomials(family, count, t)
    const squares = p.subarray(0, count).reduce((sum, value) => sum + value * value, 0)
    const slope = squares / (family.root(count) * p[count - 1]!)
    t -= p[count]! / slope
  }
  return t
}
