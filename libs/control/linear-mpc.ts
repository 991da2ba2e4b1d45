import { readLinearQuadratic, type LinearQuadratic } from './riccati.js'
import { readMatrix, readSymmetric } from './dense-matrix.js'
import { solveInteriorPoint, type QuadraticSolution } from './interior-point.js'
import { createKktSystem } from './kkt-system.js'

/** The regulator of a linear system over a horizon that moves along, with bounds. */
export interface LinearMpcProblem extends LinearQuadratic {
  /** Steps looked ahead, ≥ 1. */
  readonly horizon: number
  /** float64[n, n], symmetric: of the last state; Q when left out. */
  readonly terminal?: Float64Array
  /** Each float64[m] or float64[n]; none when left out. States are bounded from the first predicted one on. */
  readonly controlLower?: Float64Array
  readonly controlUpper?: Float64Array
  readonly stateLower?: Float64Array
  readonly stateUpper?: Float64Array
}

export interface MpcPlan {
  /** float64[m]: what to do now. */
  readonly u: Float64Array
  /** float64[horizon, m], row-major. */
  readonly controls: Float64Array
  /** float64[horizon, n], row-major: the states predicted after each of them. */
  readonly states: Float64Array
  /** From the measured state on, its own cost included. */
  readonly cost: number
  readonly iterations: number
  /** The largest miss of the dynamics or of a bound. */
  readonly constraintViolation: number
}

/** Plans from measured states. */
export interface LinearMpc {
  /**
   * @param x float64[n], measured.
   * @throws RangeError when x is malformed; Error naming the first bound that no controls can keep, and by how much.
   */
  plan(x: Float64Array): MpcPlan
}

const TOLERANCE = 1e-12
const ITERATIONS = 200
const SOFTNESS = 1e-9

/**
 * Receding-horizon control of x⁺ = A x + B u: min x_NᵀP x_N + Σ xᵀQ x + uᵀR u under bounds, a sparse quadratic program in controls and
 * states along time, for each measured state (Rawlings, Mayne & Diehl, Model Predictive Control, 2nd ed. 2017, ch. 1 and 8).
 * @throws RangeError naming the argument that is malformed.
 */
export function createLinearMpc(problem: LinearMpcProblem): LinearMpc {
  const { a, b, q, r } = readLinearQuadratic(problem)
  const { horizon } = problem
  if (!Number.isSafeInteger(horizon) || horizon < 1) {
    throw new RangeError(`horizon is ${horizon}; it must be a whole number above 0`)
  }
  const n = a.rows
  const m = b.columns
  const s = m + n
  const p = problem.terminal === undefined ? q : readSymmetric('terminal', problem.terminal, n)
  const bound = (name: string, values: Float64Array | undefined, size: number, none: number): Float64Array => {
    if (values !== undefined && values.length !== size) {
      throw new RangeError(`${name} has ${values.length} values; ${size} are asked for`)
    }
    return values ?? new Float64Array(size).fill(none)
  }
  const lowerOf = [
    ...bound('controlLower', problem.controlLower, m, -Infinity),
    ...bound('stateLower', problem.stateLower, n, -Infinity),
  ]
  const upperOf = [
    ...bound('controlUpper', problem.controlUpper, m, Infinity),
    ...bound('stateUpper', problem.stateUpper, n, Infinity),
  ]
  lowerOf.forEach((low, i) => {
    if (!(low <= upperOf[i]!)) throw new RangeError(`the bounds of ${nameOf(i, m)} are [${low}, ${upperOf[i]!}]`)
  })
  // Variables: u_0, x_1, u_1, x_2, …; equations: x_{k+1} - A x_k - B u_k = 0.
  const hessian = { rows: [] as number[], columns: [] as number[], values: [] as number[] }
  const jacobian = { rows: [] as number[], columns: [] as number[], values: [] as number[] }
  const put = (target: typeof hessian, row: number, column: number, value: number): void => {
    target.rows.push(row)
    target.columns.push(column)
    target.values.push(value)
  }
  for (let k = 0; k < horizon; k++) {
    for (let i = 0; i < m; i++) for (let j = 0; j <= i; j++) put(hessian, k * s + i, k * s + j, 2 * r.get(i, j))
    const weight = k === horizon - 1 ? p : q
    for (let i = 0; i < n; i++) {
      for (let j = 0; j <= i; j++) put(hessian, k * s + m + i, k * s + m + j, 2 * weight.get(i, j))
      for (let j = 0; j < m; j++) put(jacobian, k * n + i, k * s + j, -b.get(i, j))
      for (let j = 0; k > 0 && j < n; j++) put(jacobian, k * n + i, (k - 1) * s + m + j, -a.get(i, j))
      put(jacobian, k * n + i, k * s + m + i, 1)
    }
  }
  const variables = horizon * s
  const kkt = createKktSystem({
    ...{ variables, equalities: horizon * n },
    hessian: { rows: Int32Array.from(hessian.rows), columns: Int32Array.from(hessian.columns) },
    jacobian: { rows: Int32Array.from(jacobian.rows), columns: Int32Array.from(jacobian.columns) },
    order: Int32Array.from({ length: variables + horizon * n }, (_, at) => {
      if (at < variables) return Math.floor(at / s) * (s + n) + (at % s)
      return Math.floor((at - variables) / n) * (s + n) + s + ((at - variables) % n)
    }),
  })
  const fixed = {
    hessian: Float64Array.from(hessian.values),
    jacobian: Float64Array.from(jacobian.values),
    gradient: new Float64Array(variables),
    lower: Float64Array.from({ length: variables }, (_, at) => lowerOf[at % s]!),
    upper: Float64Array.from({ length: variables }, (_, at) => upperOf[at % s]!),
  }
  return {
    plan(x) {
      const measured = readMatrix('x', x, n, 1)
      const rightHandSide = new Float64Array(horizon * n)
      rightHandSide.set(a.mmul(measured).to1DArray())
      const values = { ...fixed, rightHandSide }
      const start = new Float64Array(variables)
      const options = { tolerance: TOLERANCE, maxIterations: ITERATIONS, softness: 0 }
      const found = solveInteriorPoint(kkt, values, start, options)
      if (found.status === 'infeasible') {
        throw blameBound(solveInteriorPoint(kkt, values, start, { ...options, softness: SOFTNESS }), x, {
          n,
          m,
          a: problem,
        })
      }
      if (found.status !== 'solved' && !(Math.max(found.primalResidual, found.complementarity) <= 1e-8)) {
        throw new Error(
          `no plan from x = [${x.join(', ')}]: the quadratic program is ${found.status}; weigh every control`,
        )
      }
      const part = (first: number, size: number): Float64Array =>
        Float64Array.from({ length: horizon * size }, (_, at) => {
          return found.x[Math.floor(at / size) * s + first + (at % size)]!
        })
      const controls = part(0, m)
      return {
        ...{ u: controls.slice(0, m), controls, states: part(m, n), iterations: found.iterations },
        cost: found.objective + measured.transpose().mmul(q).mmul(measured).get(0, 0),
        constraintViolation: found.primalResidual,
      }
    },
  }
}

/** Rolls the softened controls out: the first state outside its bounds is the one that can't be kept. */
function blameBound(
  soft: QuadraticSolution,
  x: Float64Array,
  { n, m, a: problem }: { n: number; m: number; a: LinearMpcProblem },
): Error {
  const s = m + n
  let at = x
  for (let k = 0; k < problem.horizon; k++) {
    const u = soft.x.subarray(k * s, k * s + m)
    const before = at
    at = Float64Array.from({ length: n }, (_, i) => {
      const own = before.reduce((sum, value, j) => sum + problem.A[i * n + j]! * value, 0)
      return u.reduce((sum, value, j) => sum + problem.B[i * m + j]! * value, own)
    })
    for (let i = 0; i < n; i++) {
      const over = Math.max(
        at[i]! - (problem.stateUpper?.[i] ?? Infinity),
        (problem.stateLower?.[i] ?? -Infinity) - at[i]!,
      )
      if (over > 1e-9) {
        const name = nameOf(m + i, m)
        return new Error(
          `infeasible: no controls within their bounds keep ${name} after step ${k}; it misses by ${over.toPrecision(3)}`,
        )
      }
    }
  }
  return new Error(
    `infeasible: no controls within their bounds keep the states within theirs; the equations miss by ${soft.primalResidual}`,
  )
}

function nameOf(component: number, controls: number): string {
  return component < controls ? `control ${component}` : `state ${component - controls}`
}
