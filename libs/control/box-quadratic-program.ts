import { CholeskyDecomposition, Matrix } from 'ml-matrix'

export interface BoxSolution {
  /** float64[m]. */
  readonly x: Float64Array
  /** Which components are not held by a bound. */
  readonly free: readonly number[]
  /** The Cholesky factor of the free part of H; nothing when no component is free. */
  readonly factor: CholeskyDecomposition | undefined
}

const ITERATIONS = 100
const CONVERGED = 1e-12
const SUFFICIENT_DECREASE = 0.1
const LEAST_STEP = 1e-20

/**
 * min ½xᵀHx + gᵀx over lower ≤ x ≤ upper by projected Newton steps (Bertsekas, SIAM J. Control Optim. 20 (1982) 221; Tassa, Mansard
 * & Todorov, ICRA 2014).
 * @param start float64[m].
 * @returns nothing when the free part of H is not positive definite.
 */
export function solveBoxProgram(
  h: Matrix,
  g: Float64Array,
  lower: Float64Array,
  upper: Float64Array,
  start: Float64Array,
): BoxSolution | undefined {
  const m = g.length
  const clamp = (values: Float64Array): Float64Array =>
    values.map((value, i) => Math.min(Math.max(value, lower[i]!), upper[i]!))
  const slopeAt = (at: Float64Array): Float64Array =>
    g.map((value, i) => value + at.reduce((sum, other, j) => sum + h.get(i, j) * other, 0))
  const valueAt = (at: Float64Array): number =>
    slopeAt(at).reduce((sum, slope, i) => sum + 0.5 * at[i]! * (slope + g[i]!), 0)
  let x = clamp(start)
  let value = valueAt(x)
  for (let iteration = 0; ; iteration++) {
    const slope = slopeAt(x)
    const free = Array.from({ length: m }, (_, i) => i).filter(
      (i) => !(x[i] === lower[i] && slope[i]! > 0) && !(x[i] === upper[i] && slope[i]! < 0),
    )
    if (free.length === 0) return { x, free, factor: undefined }
    const factor = new CholeskyDecomposition(h.selection(free, free))
    if (!factor.isPositiveDefinite()) return undefined
    const size = Math.hypot(...free.map((i) => slope[i]!))
    if (size <= CONVERGED * (1 + Math.hypot(...g)) || iteration === ITERATIONS) return { x, free, factor }
    const newton = factor.solve(Matrix.columnVector(free.map((i) => -slope[i]!)))
    const step = new Float64Array(m)
    free.forEach((i, at) => (step[i] = newton.get(at, 0)))
    const descent = free.reduce((sum, i) => sum + slope[i]! * step[i]!, 0)
    let length = 1
    let next = clamp(x.map((part, i) => part + step[i]!))
    while (valueAt(next) > value + SUFFICIENT_DECREASE * length * descent && length > LEAST_STEP) {
      length *= 0.6
      next = clamp(x.map((part, i) => part + length * step[i]!))
    }
    const nextValue = valueAt(next)
    if (!(nextValue < value)) return { x, free, factor }
    x = next
    value = nextValue
  }
}
