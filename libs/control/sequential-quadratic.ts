import { solveInteriorPoint, type QuadraticSolution } from './interior-point.js'
import { createKktSystem, type KktSystem } from './kkt-system.js'
import { createDerivatives, type Derivatives, type NonlinearProgram } from './nonlinear-program.js'
import { multiplyPattern, multiplyPatternTransposed, multiplySymmetric } from './pattern.js'
import { dot, maxAbs, sumAbs } from './vector.js'
import { describeViolation } from './violation.js'

/** How far a solve has come. */
export interface IterationInfo {
  readonly iteration: number
  readonly objective: number
  /** max |c|. */
  readonly infeasibility: number
  /** max |∇L| and complementarity, over max(1, |multipliers|). */
  readonly stationarity: number
}

export interface NonlinearOptions {
  /** For infeasibility and stationarity alike. */
  readonly tolerance: number
  readonly maxIterations: number
  /** `z` may not be changed, and changes with the next iteration. */
  readonly onIteration?: ((info: IterationInfo, z: Float64Array) => void) | undefined
  /** The first μ of an interior-point method: the smaller, the more it keeps of a good start; 0.1 when left out. */
  readonly firstBarrier?: number | undefined
  readonly signal?: AbortSignal | undefined
}

export interface NonlinearSolution extends IterationInfo {
  readonly status: 'solved' | 'iterationLimit' | 'failed'
  /** One sentence: why the method stopped. */
  readonly message: string
  readonly z: Float64Array
  /** λ in L = f - λᵀc - …, float64[equalities]. */
  readonly multipliers: Float64Array
}

/** The solution d of a subproblem and what its merit is foretold from. */
interface Step {
  readonly solution: QuadraticSolution
  /** gᵀd. */
  readonly slope: number
  /** dᵀHd. */
  readonly curvature: number
  /** ‖c‖₁ - ‖c + Ad‖₁: what the linearised constraints promise. */
  readonly promised: number
  readonly soft: boolean
}

/** How the Hessian of a subproblem is made, from the fastest converging to the safest. */
interface Curvature {
  readonly convex: boolean
  /** Added to the diagonal, as a share of the largest entry. */
  readonly damping: number
}

const CURVATURES: readonly Curvature[] = [
  { convex: false, damping: 0 },
  { convex: false, damping: 1e-4 },
  { convex: false, damping: 1e-2 },
  { convex: true, damping: 0 },
  { convex: true, damping: 1e-2 },
  { convex: true, damping: 1 },
  { convex: true, damping: 1e2 },
]
/** So many steps in a row where the undamped subproblem has no minimum are taken for a cost that has none either. */
const UNBOUNDED_STEPS = 10
const UNBOUNDED = 'unbounded: the cost falls without end along some direction'
const NEARLY_FEASIBLE = 1e-3
const SUBPROBLEM_ITERATIONS = 60
const SOFTNESS = 1e-6
const LEAST_PROGRESS = 1e-4
const SUFFICIENT_DECREASE = 1e-4
const PENALTY_SHARE = 0.5
const HALVINGS = 30
const ROUNDING = 1e-13

/**
 * Sequential quadratic programming with a line search on the ℓ₁ merit function (Nocedal & Wright, Numerical Optimization,
 * 2nd ed. 2006, algorithm 18.3): the exact Hessian of the Lagrangian where it is convex on the linearised constraints, else
 * a convexified, else a damped one; a softened subproblem where the linearised constraints contradict the bounds.
 * @param start float64[variables]; brought inside the bounds first.
 * @throws the signal's reason when it is aborted.
 */
export function solveNonlinearProgram(
  program: NonlinearProgram,
  start: Float64Array,
  options: NonlinearOptions,
): NonlinearSolution {
  return new SequentialQuadratic(program, start, options).solve()
}

class SequentialQuadratic {
  readonly #kkt: KktSystem
  readonly #derivatives: Derivatives
  readonly #constraints: Float64Array
  readonly #trialConstraints: Float64Array
  #z: Float64Array
  #trial: Float64Array
  #objective: number
  readonly #multipliers: Float64Array
  readonly #lowerMultipliers: Float64Array
  readonly #upperMultipliers: Float64Array
  #penalty = 0
  #iteration = 0
  #unboundedInARow = 0

  constructor(
    private readonly program: NonlinearProgram,
    start: Float64Array,
    private readonly options: NonlinearOptions,
  ) {
    const { structure } = program
    this.#kkt = createKktSystem(structure)
    this.#derivatives = createDerivatives(structure)
    this.#constraints = new Float64Array(structure.equalities)
    this.#trialConstraints = new Float64Array(structure.equalities)
    this.#z = start.map((value, i) => clamp(value, program.lower[i]!, program.upper[i]!))
    this.#trial = new Float64Array(structure.variables)
    this.#multipliers = new Float64Array(structure.equalities)
    this.#lowerMultipliers = new Float64Array(structure.variables)
    this.#upperMultipliers = new Float64Array(structure.variables)
    this.#objective = program.evaluate(this.#z, this.#constraints)
  }

  solve(): NonlinearSolution {
    const { tolerance, maxIterations, signal, onIteration } = this.options
    if (!Number.isFinite(this.#objective + sumAbs(this.#constraints))) {
      return this.#report('failed', 'the cost or the dynamics are not finite at the initial guess; give another one')
    }
    for (; ; this.#iteration++) {
      signal?.throwIfAborted()
      this.program.differentiate(this.#z, this.#multipliers, this.#derivatives)
      const info = this.#measure()
      onIteration?.(info, this.#z)
      if (info.infeasibility <= tolerance && info.stationarity <= tolerance) {
        return this.#report('solved', 'the optimality conditions hold within the tolerance')
      }
      if (this.#iteration === maxIterations) {
        return this.#report('iterationLimit', `not within the tolerance after ${maxIterations} iterations`)
      }
      const trouble = this.#advance()
      if (trouble !== undefined) return this.#report('failed', trouble)
    }
  }

  /** One step with the first curvature that gives one; why not, when none does. */
  #advance(): string | undefined {
    let unbounded = false
    const nearlyFeasible = maxAbs(this.#constraints) <= NEARLY_FEASIBLE
    for (const curvature of CURVATURES) {
      // Far from feasible the multipliers are guesses: a Hessian made barely convex then gives long steps to nowhere.
      if (!nearlyFeasible && !curvature.convex && curvature.damping > 0) continue
      const step = this.#computeStep(this.#curvedHessian(curvature))
      if (step === 'unbounded') unbounded = true
      if (step === 'unbounded' || step === 'notConvex') continue
      if (step.soft && step.promised <= LEAST_PROGRESS * sumAbs(this.#constraints)) {
        return describeViolation(this.program, this.#constraints)
      }
      if (!this.#searchAlong(step)) continue
      this.#unboundedInARow = unbounded ? this.#unboundedInARow + 1 : 0
      return this.#unboundedInARow < UNBOUNDED_STEPS ? undefined : UNBOUNDED
    }
    return unbounded ? UNBOUNDED : 'stuck: no step from here improves cost and feasibility together'
  }

  #curvedHessian({ convex, damping }: Curvature): Float64Array {
    if (convex) this.program.convexify(this.#derivatives.hessian)
    const hessian = this.#derivatives.hessian.slice()
    const { rows, columns } = this.program.structure.hessian
    const shift = damping * (maxAbs(hessian) || 1)
    for (let e = 0; e < hessian.length; e++) {
      if (rows[e] === columns[e]) hessian[e] = hessian[e]! + shift
    }
    return hessian
  }

  /** Solves the subproblem for the step d: min ½dᵀHd + gᵀd, Ad = -c, lower - z ≤ d ≤ upper - z. */
  #computeStep(hessian: Float64Array): Step | 'notConvex' | 'unbounded' {
    const { structure, lower, upper } = this.program
    const values = {
      hessian,
      gradient: this.#derivatives.gradient,
      jacobian: this.#derivatives.jacobian,
      rightHandSide: this.#constraints.map((value) => -value),
      lower: lower.map((bound, i) => bound - this.#z[i]!),
      upper: upper.map((bound, i) => bound - this.#z[i]!),
    }
    const origin = new Float64Array(structure.variables)
    const options = { tolerance: 0.01 * this.options.tolerance, maxIterations: SUBPROBLEM_ITERATIONS, softness: 0 }
    let solution = solveInteriorPoint(this.#kkt, values, origin, options)
    const soft = solution.status === 'infeasible'
    if (soft) solution = solveInteriorPoint(this.#kkt, values, origin, { ...options, softness: SOFTNESS })
    if (solution.status === 'notConvex' || solution.status === 'unbounded') return solution.status
    const linearised = this.#constraints.slice()
    multiplyPattern(structure.jacobian, values.jacobian, solution.x, linearised)
    const product = new Float64Array(structure.variables)
    multiplySymmetric(structure.hessian, hessian, solution.x, product)
    return {
      solution,
      slope: dot(values.gradient, solution.x),
      curvature: dot(solution.x, product),
      promised: sumAbs(this.#constraints) - sumAbs(linearised),
      soft,
    }
  }

  /** Moves to the first point along the step where the merit function has fallen enough. */
  #searchAlong(step: Step): boolean {
    const { slope, promised } = step
    this.#raisePenalty(step)
    const merit = this.#objective + this.#penalty * sumAbs(this.#constraints)
    const descent = slope - this.#penalty * promised
    const rounding = ROUNDING * (1 + Math.abs(this.#objective) + this.#penalty)
    if (!(descent <= rounding)) return false
    for (let length = 1, halving = 0; halving < HALVINGS; halving++, length /= 2) {
      const objective = this.#tryAlong(step.solution.x, length)
      const trialMerit = objective + this.#penalty * sumAbs(this.#trialConstraints)
      if (!(trialMerit <= merit + SUFFICIENT_DECREASE * length * descent + rounding)) continue
      this.#accept(objective, step, length)
      return true
    }
    return false
  }

  /** Nocedal & Wright, (18.36): so large that the step descends on the merit function. */
  #raisePenalty({ slope, curvature, promised }: Step): void {
    if (!(promised > 0)) return
    const least = (slope + 0.5 * Math.max(0, curvature)) / ((1 - PENALTY_SHARE) * promised)
    if (least > this.#penalty) this.#penalty = 1.5 * least
  }

  #accept(objective: number, { solution, soft }: Step, length: number): void {
    ;[this.#z, this.#trial] = [this.#trial, this.#z]
    this.#constraints.set(this.#trialConstraints)
    this.#objective = objective
    // The multipliers of a softened subproblem measure how far it is from feasible, not the price of a constraint.
    const share = soft ? 0 : length
    approach(this.#multipliers, share, solution.multipliers)
    approach(this.#lowerMultipliers, share, solution.lowerMultipliers)
    approach(this.#upperMultipliers, share, solution.upperMultipliers)
  }

  /** The trial point z + length · direction, kept inside the bounds against rounding. */
  #tryAlong(direction: Float64Array, length: number): number {
    const { lower, upper } = this.program
    for (let i = 0; i < this.#trial.length; i++) {
      this.#trial[i] = clamp(this.#z[i]! + length * direction[i]!, lower[i]!, upper[i]!)
    }
    return this.program.evaluate(this.#trial, this.#trialConstraints)
  }

  #measure(): IterationInfo {
    const { structure, lower, upper } = this.program
    const lagrangian = this.#derivatives.gradient.slice()
    multiplyPatternTransposed(structure.jacobian, this.#derivatives.jacobian, this.#multipliers, lagrangian, -1)
    let complementarity = 0
    for (let i = 0; i < lagrangian.length; i++) {
      const low = this.#lowerMultipliers[i]!
      const high = this.#upperMultipliers[i]!
      lagrangian[i] = lagrangian[i]! - low + high
      if (low > 0) complementarity = Math.max(complementarity, low * (this.#z[i]! - lower[i]!))
      if (high > 0) complementarity = Math.max(complementarity, high * (upper[i]! - this.#z[i]!))
    }
    return {
      iteration: this.#iteration,
      objective: this.#objective,
      infeasibility: maxAbs(this.#constraints),
      stationarity: Math.max(maxAbs(lagrangian), complementarity) / Math.max(1, maxAbs(this.#multipliers)),
    }
  }

  #report(status: NonlinearSolution['status'], message: string): NonlinearSolution {
    return { ...this.#measure(), status, message, z: this.#z, multipliers: this.#multipliers }
  }
}

/** values += share · (target - values). */
function approach(values: Float64Array, share: number, target: Float64Array): void {
  for (let i = 0; i < values.length; i++) values[i] = values[i]! + share * (target[i]! - values[i]!)
}

function clamp(value: number, lower: number, upper: number): number {
  return Math.min(Math.max(value, lower), upper)
}
