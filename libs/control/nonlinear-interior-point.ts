import { Barrier, centralMultipliers, moveMultipliers, multiplierSteps, type BoundMultipliers } from './barrier.js'
import { Filter } from './filter.js'
import { createKktSystem, type KktSystem } from './kkt-system.js'
import { createDerivatives, type Derivatives, type NonlinearProgram } from './nonlinear-program.js'
import { multiplyPatternTransposed } from './pattern.js'
import { restoreFeasibility } from './restoration.js'
import type { NonlinearOptions, NonlinearSolution } from './sequential-quadratic.js'
import { dot, maxAbs, sumAbs } from './vector.js'
import { describeStuck, describeViolation } from './violation.js'

const FIRST_MU = 0.1
const INSIDE = 1e-2
const BARRIER_TOLERANCE = 10
const LEAST_SHARE = 0.99
const MOST_MULTIPLIER = 1e3
const FIRST_DAMPING = 1e-4
const LEAST_DAMPING = 1e-20
const MOST_DAMPING = 1e20
const CORRECTIONS = 4
const HALVINGS = 24
const SCALED_GRADIENT = 100
const SUFFICIENT_DECREASE = 1e-4
const NO_MOVE = 10 * Number.EPSILON

interface Trial {
  readonly z: Float64Array
  readonly constraints: Float64Array
  readonly objective: number
  readonly violation: number
  readonly merit: number
}

/**
 * A primal–dual interior-point method with a filter line search (Wächter & Biegler, Math. Prog. 106 (2006) 25): Newton's method
 * on the barrier problem, damped where the Hessian is not convex on the linearised constraints, second-order corrections, and
 * a restoration phase where no step is acceptable.
 * @param start float64[variables]; brought inside the bounds first.
 * @throws the signal's reason when it is aborted.
 */
export function solveNonlinearInteriorPoint(
  program: NonlinearProgram,
  start: Float64Array,
  options: NonlinearOptions,
): NonlinearSolution {
  return new InteriorPoint(program, start, options).solve()
}

class InteriorPoint {
  readonly #kkt: KktSystem
  readonly #barrier: Barrier
  readonly #derivatives: Derivatives
  readonly #filter: Filter
  readonly #scale: number
  readonly #fewViolation: number
  #at: Trial
  #multipliers: Float64Array
  #bounds: BoundMultipliers
  #mu: number
  #lastDamping = 0
  #iteration = 0

  constructor(
    private readonly program: NonlinearProgram,
    start: Float64Array,
    private readonly options: NonlinearOptions,
  ) {
    const { structure, lower, upper } = program
    this.#kkt = createKktSystem(structure)
    this.#barrier = new Barrier(lower, upper)
    this.#derivatives = createDerivatives(structure)
    this.#mu = options.firstBarrier ?? FIRST_MU
    const z = start.slice()
    this.#barrier.pushInside(z, Math.min(INSIDE, this.#mu))
    this.#multipliers = new Float64Array(structure.equalities)
    program.differentiate(z, this.#multipliers, this.#derivatives)
    this.#scale = Math.min(1, SCALED_GRADIENT / (maxAbs(this.#derivatives.gradient) || 1))
    this.#bounds = centralMultipliers(this.#barrier, z, this.#mu, MOST_MULTIPLIER)
    this.#at = this.#evaluate(z)
    this.#filter = new Filter(1e4 * Math.max(1, this.#at.violation))
    this.#fewViolation = 1e-4 * Math.max(1, this.#at.violation)
  }

  solve(): NonlinearSolution {
    const { tolerance, maxIterations, signal, onIteration } = this.options
    if (!Number.isFinite(this.#at.objective + this.#at.violation)) {
      return this.#report('failed', 'the cost or the dynamics are not finite at the initial guess; give another one')
    }
    this.#differentiate()
    this.#estimateMultipliers()
    for (; ; this.#iteration++) {
      signal?.throwIfAborted()
      this.#differentiate()
      const { infeasibility, stationarity, ...rest } = this.#measure(0)
      onIteration?.({ ...rest, infeasibility, stationarity }, this.#at.z)
      if (infeasibility <= tolerance && stationarity <= tolerance) {
        return this.#report('solved', 'the optimality conditions hold within the tolerance')
      }
      if (this.#iteration === maxIterations) {
        return this.#report('iterationLimit', `not within the tolerance after ${maxIterations} iterations`)
      }
      this.#lowerBarrier()
      const trouble = this.#advance()
      if (trouble !== undefined) return this.#report('failed', trouble)
    }
  }

  /** Goes on to a smaller μ while the barrier problem of the present one is solved well enough. */
  #lowerBarrier(): void {
    const { tolerance } = this.options
    const least = tolerance / 10
    while (this.#mu > least) {
      const { infeasibility, stationarity } = this.#measure(this.#mu)
      if (Math.max(infeasibility, stationarity) > BARRIER_TOLERANCE * this.#mu) return
      this.#mu = Math.max(least, Math.min(0.2 * this.#mu, this.#mu ** 1.5))
      this.#filter.clear()
      this.#at = { ...this.#at, merit: this.#merit(this.#at.z, this.#at.objective) }
    }
  }

  #advance(): string | undefined {
    const gradient = this.#barrierGradient()
    if (!this.#factor()) return 'stuck: no damping makes the Hessian convex; the dynamics may not be finite here'
    const { step, multipliers } = this.#solve(gradient, this.#at.constraints)
    const boundSteps = multiplierSteps(this.#barrier, this.#at.z, this.#bounds, step, this.#mu)
    const share = Math.max(LEAST_SHARE, 1 - this.#mu)
    const found = this.#search(step, gradient, share)
    if (found === undefined) return this.#restore()
    this.#at = found.trial
    for (let i = 0; i < multipliers.length; i++) {
      this.#multipliers[i] = this.#multipliers[i]! + found.length * (multipliers[i]! - this.#multipliers[i]!)
    }
    moveMultipliers(this.#barrier, this.#at.z, this.#bounds, boundSteps, share, this.#mu)
    return undefined
  }

  /** The first acceptable point along the step. */
  #search(
    step: Float64Array,
    gradient: Float64Array,
    share: number,
  ): { readonly trial: Trial; readonly length: number } | undefined {
    const at = this.#at
    const slope = dot(gradient, step)
    const longest = this.#barrier.stepLength(at.z, step, share)
    const isNoMove = step.every((move, i) => Math.abs(move) <= NO_MOVE * (1 + Math.abs(at.z[i]!)))
    for (let halving = 0, length = longest; halving < HALVINGS; halving++, length /= 2) {
      const trial = this.#evaluate(at.z.map((value, i) => value + length * step[i]!))
      if (isNoMove || this.#isAcceptable(trial, length, slope)) return { trial, length }
      if (halving > 0 || !(trial.violation >= at.violation)) continue
      const corrected = this.#correct(trial, length, share, gradient, slope)
      if (corrected !== undefined) return { trial: corrected, length }
    }
    return undefined
  }

  #isAcceptable(trial: Trial, length: number, slope: number): boolean {
    const at = this.#at
    if (!this.#filter.accepts(trial.violation, trial.merit)) return false
    const descends = slope < 0 && length * (-slope) ** 2.3 > at.violation ** 1.1
    if (descends && at.violation <= this.#fewViolation) {
      const rounding = 10 * Number.EPSILON * Math.abs(at.merit)
      return trial.merit - at.merit <= rounding + SUFFICIENT_DECREASE * length * slope
    }
    if (!Filter.improves(trial.violation, trial.merit, at)) return false
    this.#filter.add(at)
    return true
  }

  /** Second-order corrections: the step again, with what the constraints are missed by at its end. */
  #correct(first: Trial, length: number, share: number, gradient: Float64Array, slope: number): Trial | undefined {
    const at = this.#at
    let trial = first
    let violation = at.violation
    const target = at.constraints.slice()
    let part = length
    for (let correction = 0; correction < CORRECTIONS; correction++) {
      for (let i = 0; i < target.length; i++) target[i] = part * target[i]! + trial.constraints[i]!
      const { step } = this.#solve(gradient, target)
      part = this.#barrier.stepLength(at.z, step, share)
      trial = this.#evaluate(at.z.map((value, i) => value + part * step[i]!))
      if (this.#isAcceptable(trial, length, slope)) return trial
      if (!(trial.violation <= 0.99 * violation)) return undefined
      violation = trial.violation
    }
    return undefined
  }

  /** Looks for a point that misses the constraints by less and that the filter accepts. */
  #restore(): string | undefined {
    const at = this.#at
    if (at.violation <= this.options.tolerance * 1e-2) {
      return 'stuck: no step from here improves cost and feasibility together'
    }
    this.#filter.add(at)
    const restored = restoreFeasibility(this.program, this.#kkt, this.#barrier, at.z, (z) => {
      const trial = this.#evaluate(z)
      return trial.violation <= 0.9 * at.violation && this.#filter.accepts(trial.violation, trial.merit)
    })
    this.#at = this.#evaluate(restored.z)
    if (!restored.accepted) {
      const describe = restored.isStationary ? describeViolation : describeStuck
      return describe(this.program, this.#at.constraints)
    }
    this.#bounds = centralMultipliers(this.#barrier, this.#at.z, this.#mu, MOST_MULTIPLIER)
    this.#differentiate()
    this.#estimateMultipliers()
    return undefined
  }

  /** The least-squares multipliers for the gradient and the multipliers of the bounds; none when they are huge. */
  #estimateMultipliers(): void {
    const { variables, equalities } = this.program.structure
    const right = new Float64Array(variables + equalities)
    const { gradient, hessian, jacobian } = this.#derivatives
    for (let i = 0; i < variables; i++) right[i] = -gradient[i]! + this.#bounds.lower[i]! - this.#bounds.upper[i]!
    if (!this.#kkt.factor(new Float64Array(hessian.length), jacobian, new Float64Array(variables).fill(1), 0)) return
    this.#kkt.solve(right)
    const found = right.subarray(variables)
    this.#multipliers = maxAbs(found) <= MOST_MULTIPLIER ? found.map((value) => -value) : new Float64Array(equalities)
  }

  #evaluate(z: Float64Array): Trial {
    const constraints = new Float64Array(this.program.structure.equalities)
    const objective = this.#scale * this.program.evaluate(z, constraints)
    return { z, constraints, objective, violation: sumAbs(constraints), merit: this.#merit(z, objective) }
  }

  #merit(z: Float64Array, objective: number): number {
    return objective + this.#mu * this.#barrier.logarithms(z)
  }

  /** Derivatives of the scaled program. */
  #differentiate(): void {
    const { gradient, hessian } = this.#derivatives
    const unscaled = this.#multipliers.map((value) => value / this.#scale)
    this.program.differentiate(this.#at.z, unscaled, this.#derivatives)
    for (let i = 0; i < gradient.length; i++) gradient[i] = gradient[i]! * this.#scale
    for (let e = 0; e < hessian.length; e++) hessian[e] = hessian[e]! * this.#scale
  }

  #barrierGradient(): Float64Array {
    const { lower, upper } = this.#barrier
    return this.#derivatives.gradient.map(
      (slope, i) => slope - this.#mu / (this.#at.z[i]! - lower[i]!) + this.#mu / (upper[i]! - this.#at.z[i]!),
    )
  }

  /** Factors the KKT matrix with the least damping that makes it convex on the linearised constraints (their section 3.1). */
  #factor(): boolean {
    const { hessian, jacobian } = this.#derivatives
    const { lower, upper } = this.#barrier
    const diagonal = this.#at.z.map(
      (value, i) => this.#bounds.lower[i]! / (value - lower[i]!) + this.#bounds.upper[i]! / (upper[i]! - value),
    )
    if (this.#kkt.factor(hessian, jacobian, diagonal, 0)) return true
    let damping = this.#lastDamping === 0 ? FIRST_DAMPING : Math.max(LEAST_DAMPING, this.#lastDamping / 3)
    const growth = this.#lastDamping === 0 ? 100 : 8
    for (; damping <= MOST_DAMPING; damping *= growth) {
      if (
        !this.#kkt.factor(
          hessian,
          jacobian,
          diagonal.map((value) => value + damping),
          0,
        )
      )
        continue
      this.#lastDamping = damping
      return true
    }
    return false
  }

  #solve(gradient: Float64Array, constraints: Float64Array): { step: Float64Array; multipliers: Float64Array } {
    const { variables, equalities } = this.program.structure
    const right = new Float64Array(variables + equalities)
    for (let i = 0; i < variables; i++) right[i] = -gradient[i]!
    for (let i = 0; i < equalities; i++) right[variables + i] = -constraints[i]!
    this.#kkt.solve(right)
    return { step: right.subarray(0, variables), multipliers: right.subarray(variables).map((value) => -value) }
  }

  /** How far the conditions of the barrier problem of μ are from holding. */
  #measure(mu: number): { iteration: number; objective: number; infeasibility: number; stationarity: number } {
    const { structure } = this.program
    const { lower, upper } = this.#barrier
    const { z, constraints, objective } = this.#at
    const lagrangian = this.#derivatives.gradient.slice()
    multiplyPatternTransposed(structure.jacobian, this.#derivatives.jacobian, this.#multipliers, lagrangian, -1)
    let complementarity = 0
    for (let i = 0; i < lagrangian.length; i++) {
      const low = this.#bounds.lower[i]!
      const high = this.#bounds.upper[i]!
      lagrangian[i] = lagrangian[i]! - low + high
      if (low > 0) complementarity = Math.max(complementarity, Math.abs(low * (z[i]! - lower[i]!) - mu))
      if (high > 0) complementarity = Math.max(complementarity, Math.abs(high * (upper[i]! - z[i]!) - mu))
    }
    const boundSum = sumAbs(this.#bounds.lower) + sumAbs(this.#bounds.upper)
    const count = this.#multipliers.length + this.#barrier.count
    const mean = (sumAbs(this.#multipliers) + boundSum) / Math.max(1, count)
    const boundMean = boundSum / Math.max(1, this.#barrier.count)
    return {
      iteration: this.#iteration,
      objective: objective / this.#scale,
      infeasibility: maxAbs(constraints),
      stationarity: Math.max(
        maxAbs(lagrangian) / Math.max(1, mean / 100),
        complementarity / Math.max(1, boundMean / 100),
      ),
    }
  }

  #report(status: NonlinearSolution['status'], message: string): NonlinearSolution {
    const { lower, upper } = this.program
    const z = this.#at.z.map((value, i) => Math.min(Math.max(value, lower[i]!), upper[i]!))
    const multipliers = this.#multipliers.map((value) => value / this.#scale)
    return { ...this.#measure(0), status, message, z, multipliers }
  }
}
