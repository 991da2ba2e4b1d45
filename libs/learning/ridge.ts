import { CholeskyDecomposition, Matrix } from 'ml-matrix'

import { countRows } from './scaling.js'

/** ŷ = intercept + x · coefficients. */
export interface LinearModel {
  /** float64[columns]. */
  readonly coefficients: Float64Array
  readonly intercept: number
}

/**
 * Ridge regression: the coefficients that minimise Σ (y - ŷ)² + alpha ‖coefficients‖², the intercept free (Hoerl & Kennard,
 * Technometrics 12 (1970) 55). Columns should be of like scale: see `fitScaling`.
 * @param x float64[rows, columns], row-major. @param y float64[rows].
 * @param alpha ≥ 0.
 * @throws RangeError when an argument is malformed; Error when alpha is 0 and columns depend on each other.
 */
export function fitRidge(x: Float64Array, y: Float64Array, columns: number, alpha: number): LinearModel {
  const rows = countRows('x', x, columns)
  if (y.length !== rows) throw new RangeError(`y has ${y.length} values; x has ${rows} rows`)
  if (!(alpha >= 0 && Number.isFinite(alpha))) throw new RangeError(`alpha is ${alpha}; it must be ≥ 0 and finite`)
  const a = Matrix.from1DArray(rows, columns, x)
  const means = a.mean('column')
  a.subRowVector(means)
  const mean = y.reduce((sum, value) => sum + value / rows, 0)
  const centred = Matrix.columnVector(Array.from(y, (value) => value - mean))
  const transposed = a.transpose()
  const normal = transposed.mmul(a)
  for (let j = 0; j < columns; j++) normal.set(j, j, normal.get(j, j) + alpha)
  const factor = new CholeskyDecomposition(normal)
  const pivots = factor.lowerTriangularMatrix.diagonal()
  if (!factor.isPositiveDefinite() || !(Math.min(...pivots) > 1e-8 * Math.max(...pivots))) {
    throw new Error(`the normal equations are singular at alpha ${alpha}: columns depend on each other; raise alpha`)
  }
  const coefficients = Float64Array.from(factor.solve(transposed.mmul(centred)).to1DArray())
  return { coefficients, intercept: mean - coefficients.reduce((sum, value, j) => sum + value * means[j]!, 0) }
}

/** @param x float64[rows, columns]. @returns float64[rows]. */
export function predictLinear({ coefficients, intercept }: LinearModel, x: Float64Array): Float64Array {
  const columns = coefficients.length
  const rows = countRows('x', x, columns)
  return Float64Array.from({ length: rows }, (_, row) =>
    coefficients.reduce((sum, value, j) => sum + value * x[row * columns + j]!, intercept),
  )
}
