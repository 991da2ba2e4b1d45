import { solveInteriorPoint, type QuadraticSolution, type QuadraticStatus } from './interior-point.js'
import { createKktSystem, type KktStructure, type KktSystem, type QuadraticValues } from './kkt-system.js'
import { multiplyPattern, type Pattern } from './pattern.js'

/** min ½xᵀHx + gᵀx subject to Ax = b, lower ≤ x ≤ upper. An inequality aᵀx ≥ c is aᵀx - s = c with a bounded s ≥ 0. */
export interface QuadraticProgram {
  /** float64[n, n], row-major, symmetric (the lower triangle is read), positive semidefinite at least on the nullspace of A. */
  readonly H: Float64Array
  /** float64[n]. */
  readonly g: Float64Array
  /** float64[m, n], row-major. No equalities when left out. */
  readonly A?: Float64Array
  /** float64[m]. */
  readonly b?: Float64Array
  /** float64[n], -Infinity where there is none; no lower bounds when left out. */
  readonly lower?: Float64Array
  /** float64[n], Infinity where there is none; no upper bounds when left out. */
  readonly upper?: Float64Array
  /** float64[n], where to start; 0 when left out. */
  readonly start?: Float64Array
  /** Relative size of the residuals and of the complementarity at which to stop; 1e-9 when left out. */
  readonly tolerance?: number
  /** 100 when left out. */
  readonly maxIterations?: number
}

/** A solution, or why there is none. */
export interface ExplainedSolution extends QuadraticSolution {
  /** One sentence; of an infeasible program, which equality is missed by most, and by how much, when the misses are shared out. */
  readonly message: string
}

const MESSAGES: Readonly<Record<Exclude<QuadraticStatus, 'infeasible'>, string>> = {
  solved: 'the optimality conditions hold within the tolerance',
  iterationLimit: 'not within the tolerance yet; allow more iterations',
  unbounded: 'unbounded: the objective falls without end along some direction within the constraints',
  notConvex: 'not convex: H is not positive definite on the nullspace of A',
}
const SOFTNESS = 1e-6

/**
 * Solves a dense convex quadratic program by Mehrotra's predictor–corrector interior-point method (Nocedal & Wright, Numerical
 * Optimization, 2nd ed. 2006, section 16.6). Zeros of H and A are skipped, so that a band costs what a band costs.
 * @throws RangeError naming the argument when lengths don't match, a value is not a number, or a lower bound exceeds its upper one.
 */
export function solveQuadraticProgram(program: QuadraticProgram): ExplainedSolution {
  const { H, g } = program
  const n = g.length
  const b = program.b ?? new Float64Array()
  const A = program.A ?? new Float64Array()
  const lower = program.lower ?? new Float64Array(n).fill(-Infinity)
  const upper = program.upper ?? new Float64Array(n).fill(Infinity)
  const start = program.start ?? new Float64Array(n)
  check('H', H, n * n)
  check('g', g, n)
  check('A', A, b.length * n)
  check('b', b, b.length)
  check('start', start, n)
  checkBounds(lower, upper, n)
  const { tolerance = 1e-9, maxIterations = 100 } = program
  if (!(tolerance > 0)) throw new RangeError(`tolerance is ${tolerance}; it must be above 0`)
  if (!Number.isInteger(maxIterations) || maxIterations < 1) {
    throw new RangeError(`maxIterations is ${maxIterations}; it must be a whole number above 0`)
  }
  const hessian = collectNonzeros(H, n, n, true)
  const jacobian = collectNonzeros(A, b.length, n, false)
  const structure: KktStructure = {
    variables: n,
    equalities: b.length,
    hessian: hessian.pattern,
    jacobian: jacobian.pattern,
    order: Int32Array.from({ length: n + b.length }, (_, i) => i),
  }
  const kkt = createKktSystem(structure)
  const values = { hessian: hessian.values, gradient: g, jacobian: jacobian.values, rightHandSide: b, lower, upper }
  const found = solveInteriorPoint(kkt, values, start, { tolerance, maxIterations, softness: 0 })
  const message = found.status === 'infeasible' ? blameEquality(kkt, values, start) : MESSAGES[found.status]
  return { ...found, message }
}

/** Charges for misses instead of forbidding them, and looks which is the largest. */
function blameEquality(kkt: KktSystem, values: QuadraticValues, start: Float64Array): string {
  const options = { tolerance: 1e-6, maxIterations: 100, softness: SOFTNESS }
  const { x } = solveInteriorPoint(kkt, values, start, options)
  const misses = values.rightHandSide.map((value) => -value)
  multiplyPattern(kkt.structure.jacobian, values.jacobian, x, misses)
  const sizes = misses.map(Math.abs)
  const worst = sizes.indexOf(sizes.reduce((most, size) => Math.max(most, size), 0))
  return (
    'infeasible: the equalities contradict each other or the bounds; ' +
    `row ${worst} of A x = b is missed by ${sizes[worst]!.toPrecision(3)}, more than any other`
  )
}

function collectNonzeros(
  matrix: Float64Array,
  rowCount: number,
  columnCount: number,
  lowerOnly: boolean,
): { pattern: Pattern; values: Float64Array } {
  const rows: number[] = []
  const columns: number[] = []
  const values: number[] = []
  for (let row = 0; row < rowCount; row++) {
    for (let column = 0; column < (lowerOnly ? row + 1 : columnCount); column++) {
      const value = matrix[row * columnCount + column]!
      if (value === 0) continue
      rows.push(row)
      columns.push(column)
      values.push(value)
    }
  }
  return {
    pattern: { rows: Int32Array.from(rows), columns: Int32Array.from(columns) },
    values: Float64Array.from(values),
  }
}

function check(name: string, values: Float64Array, length: number): void {
  if (values.length !== length)
    throw new RangeError(`${name} has ${values.length} values; the other arguments ask for ${length}`)
  const at = values.findIndex((value) => !Number.isFinite(value))
  if (at >= 0) throw new RangeError(`${name}[${at}] is ${values[at]!}; it must be a finite number`)
}

function checkBounds(lower: Float64Array, upper: Float64Array, n: number): void {
  if (lower.length !== n) throw new RangeError(`lower has ${lower.length} values; g has ${n}`)
  if (upper.length !== n) throw new RangeError(`upper has ${upper.length} values; g has ${n}`)
  for (let i = 0; i < n; i++) {
    if (!(lower[i]! <= upper[i]!) || lower[i] === Infinity || upper[i] === -Infinity) {
      throw new RangeError(`lower[${i}] is ${lower[i]!} and upper[${i}] is ${upper[i]!}: no number lies between them`)
    }
  }
}
