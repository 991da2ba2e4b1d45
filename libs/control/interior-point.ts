import type { KktSystem, QuadraticValues } from './kkt-system.js'
import { provesInfeasible, provesUnbounded } from './certificate.js'
import { multiplyPattern, multiplyPatternTransposed, multiplySymmetric } from './pattern.js'
import { dot, maxAbs } from './vector.js'

export interface InteriorPointOptions {
  /** Relative size of the residuals and of the complementarity at which to stop. */
  readonly tolerance: number
  readonly maxIterations: number
  /**
   * Where above 0, Ax = b is not imposed but charged with ‖Ax - b‖² / (2 · softness), so that a solution exists where no x
   * meets the equalities.
   */
  readonly softness: number
}

/**
 * - `infeasible`: a combination of the equalities contradicts the bounds (Farkas).
 * - `unbounded`: the objective falls without end within the constraints.
 * - `notConvex`: H is not positive definite on the nullspace of A.
 */
export type QuadraticStatus = 'solved' | 'iterationLimit' | 'infeasible' | 'unbounded' | 'notConvex'

/** The Lagrangian is ½xᵀHx + gᵀx - λᵀ(Ax - b) - zₗᵀ(x - lower) - zᵤᵀ(upper - x), with zₗ, zᵤ ≥ 0. */
export interface QuadraticSolution {
  readonly status: QuadraticStatus
  /** float64[variables]. */
  readonly x: Float64Array
  readonly objective: number
  /** λ, float64[equalities]. */
  readonly multipliers: Float64Array
  /** zₗ, float64[variables]; 0 where there is no bound. */
  readonly lowerMultipliers: Float64Array
  /** zᵤ, float64[variables]; 0 where there is no bound. */
  readonly upperMultipliers: Float64Array
  readonly iterations: number
  /** max |Ax - b| (softened where softness > 0) and violation of the bounds. */
  readonly primalResidual: number
  /** max |Hx + g - Aᵀλ - zₗ + zᵤ|. */
  readonly dualResidual: number
  /** The largest slack × multiplier of a bound. */
  readonly complementarity: number
}

/** One bound: of variable `index`, `sign` = 1 for lower (x - bound ≥ 0), -1 for upper (bound - x ≥ 0). */
interface Bounds {
  readonly index: Int32Array
  readonly sign: Int8Array
  readonly value: Float64Array
}

interface Iterate {
  readonly x: Float64Array
  readonly multipliers: Float64Array
  readonly slacks: Float64Array
  readonly boundMultipliers: Float64Array
}

interface Residuals {
  readonly dual: Float64Array
  readonly primal: Float64Array
  readonly bound: Float64Array
}

const STEP_TO_BOUNDARY = 0.995

/**
 * Mehrotra's predictor–corrector method for convex quadratic programs (Nocedal & Wright, Numerical Optimization, 2nd ed. 2006,
 * algorithm 16.4, with equalities kept and bounds as the inequalities). H need be positive definite only on the nullspace of A.
 * @param start float64[variables], where to start; need not be feasible.
 */
export function solveInteriorPoint(
  kkt: KktSystem,
  values: QuadraticValues,
  start: Float64Array,
  options: InteriorPointOptions,
): QuadraticSolution {
  return new PredictorCorrector(kkt, values, start, options).solve()
}

class PredictorCorrector {
  readonly #bounds: Bounds
  readonly #at: Iterate
  readonly #step: Iterate
  readonly #residuals: Residuals
  readonly #barrier: Float64Array
  readonly #complement: Float64Array
  readonly #rightHandSide: Float64Array
  readonly #scale: { readonly primal: number; readonly dual: number }

  constructor(
    private readonly kkt: KktSystem,
    private readonly values: QuadraticValues,
    start: Float64Array,
    private readonly options: InteriorPointOptions,
  ) {
    const { variables, equalities } = kkt.structure
    this.#bounds = collectBounds(values.lower, values.upper)
    const count = this.#bounds.index.length
    this.#at = createIterate(variables, equalities, count)
    this.#step = createIterate(variables, equalities, count)
    this.#at.x.set(start)
    this.#residuals = {
      dual: new Float64Array(variables),
      primal: new Float64Array(equalities),
      bound: new Float64Array(count),
    }
    this.#barrier = new Float64Array(variables)
    this.#complement = new Float64Array(count)
    this.#rightHandSide = new Float64Array(variables + equalities)
    this.#scale = { primal: 1 + maxAbs(values.rightHandSide), dual: 1 + maxAbs(values.gradient) }
  }

  solve(): QuadraticSolution {
    const { tolerance, maxIterations } = this.options
    let status: QuadraticStatus | undefined = this.#start() ? undefined : 'notConvex'
    let iterations = 0
    for (; status === undefined; iterations++) {
      this.#updateResiduals()
      if (this.#isSolved(tolerance)) status = 'solved'
      else if (
        this.options.softness === 0 &&
        provesInfeasible(this.kkt.structure, this.values, this.#at.multipliers, this.#at.x)
      )
        status = 'infeasible'
      else if (provesUnbounded(this.kkt.structure, this.values, this.#at.x)) status = 'unbounded'
      else if (iterations === maxIterations) status = 'iterationLimit'
      else if (!this.#factor()) status = 'notConvex'
      else this.#advance()
      if (status !== undefined) break
    }
    return this.#report(status, iterations)
  }

  /** Slacks and multipliers after one affine step, kept away from 0 (Nocedal & Wright, section 16.6, starting point). */
  #start(): boolean {
    const { slacks, boundMultipliers, x } = this.#at
    const { index, sign, value } = this.#bounds
    if (index.length === 0) return true
    for (let i = 0; i < slacks.length; i++) {
      slacks[i] = Math.max(sign[i]! * (x[index[i]!]! - value[i]!), 1)
      boundMultipliers[i] = 1
    }
    this.#updateResiduals()
    if (!this.#factor()) return false
    this.#computeStep(0, false)
    for (let i = 0; i < slacks.length; i++) {
      slacks[i] = Math.max(1, Math.abs(slacks[i]! + this.#step.slacks[i]!))
      boundMultipliers[i] = Math.max(1, Math.abs(boundMultipliers[i]! + this.#step.boundMultipliers[i]!))
    }
    return true
  }

  #updateResiduals(): void {
    const { structure } = this.kkt
    const { dual, primal, bound } = this.#residuals
    const { x, multipliers, slacks, boundMultipliers } = this.#at
    const { index, sign, value } = this.#bounds
    dual.set(this.values.gradient)
    multiplySymmetric(structure.hessian, this.values.hessian, x, dual)
    multiplyPatternTransposed(structure.jacobian, this.values.jacobian, multipliers, dual, -1)
    for (let i = 0; i < primal.length; i++) {
      primal[i] = this.options.softness * multipliers[i]! - this.values.rightHandSide[i]!
    }
    multiplyPattern(structure.jacobian, this.values.jacobian, x, primal)
    for (let i = 0; i < slacks.length; i++) {
      const at = index[i]!
      dual[at] = dual[at]! - sign[i]! * boundMultipliers[i]!
      bound[i] = sign[i]! * (x[at]! - value[i]!) - slacks[i]!
    }
  }

  #isSolved(tolerance: number): boolean {
    const { dual, primal, bound } = this.#residuals
    return (
      maxAbs(primal) <= tolerance * this.#scale.primal &&
      maxAbs(bound) <= tolerance * this.#scale.primal &&
      maxAbs(dual) <= tolerance * this.#scale.dual &&
      this.#largestComplementarity() <= tolerance * this.#scale.dual
    )
  }

  #meanComplementarity(): number {
    const { slacks, boundMultipliers } = this.#at
    return slacks.length === 0 ? 0 : dot(slacks, boundMultipliers) / slacks.length
  }

  #largestComplementarity(): number {
    const { slacks, boundMultipliers } = this.#at
    let largest = 0
    for (let i = 0; i < slacks.length; i++) largest = Math.max(largest, slacks[i]! * boundMultipliers[i]!)
    return largest
  }

  #factor(): boolean {
    const { slacks, boundMultipliers } = this.#at
    const { index } = this.#bounds
    this.#barrier.fill(0)
    for (let i = 0; i < slacks.length; i++) {
      const at = index[i]!
      this.#barrier[at] = this.#barrier[at]! + boundMultipliers[i]! / slacks[i]!
    }
    return this.kkt.factor(this.values.hessian, this.values.jacobian, this.#barrier, this.options.softness)
  }

  #advance(): void {
    const count = this.#bounds.index.length
    this.#computeStep(0, false)
    if (count > 0) {
      const mean = this.#meanComplementarity()
      const affine = this.#stepLength(1)
      const { slacks, boundMultipliers } = this.#at
      let after = 0
      for (let i = 0; i < count; i++) {
        after +=
          (slacks[i]! + affine * this.#step.slacks[i]!) *
          (boundMultipliers[i]! + affine * this.#step.boundMultipliers[i]!)
      }
      const centring = (after / count / mean) ** 3
      this.#computeStep(centring * mean, true)
    }
    const length = Math.min(1, STEP_TO_BOUNDARY * this.#stepLength(Infinity))
    move(this.#at.x, length, this.#step.x)
    move(this.#at.multipliers, length, this.#step.multipliers)
    move(this.#at.slacks, length, this.#step.slacks)
    move(this.#at.boundMultipliers, length, this.#step.boundMultipliers)
  }

  /** The Newton step towards slack × multiplier = target, with the last step's second-order term when `corrected`. */
  #computeStep(target: number, corrected: boolean): void {
    const { slacks, boundMultipliers } = this.#at
    const step = this.#step
    const { dual, primal, bound } = this.#residuals
    const { index, sign } = this.#bounds
    const { variables, equalities } = this.kkt.structure
    const right = this.#rightHandSide
    for (let i = 0; i < variables; i++) right[i] = -dual[i]!
    for (let i = 0; i < equalities; i++) right[variables + i] = -primal[i]!
    for (let i = 0; i < slacks.length; i++) {
      const correction = corrected ? step.slacks[i]! * step.boundMultipliers[i]! : 0
      const complement = slacks[i]! * boundMultipliers[i]! - target + correction
      this.#complement[i] = complement
      const at = index[i]!
      right[at] = right[at]! - (sign[i]! * (complement + boundMultipliers[i]! * bound[i]!)) / slacks[i]!
    }
    this.kkt.solve(right)
    step.x.set(right.subarray(0, variables))
    for (let i = 0; i < equalities; i++) step.multipliers[i] = -right[variables + i]!
    for (let i = 0; i < slacks.length; i++) {
      const slackStep = sign[i]! * step.x[index[i]!]! + bound[i]!
      step.slacks[i] = slackStep
      step.boundMultipliers[i] = -(this.#complement[i]! + boundMultipliers[i]! * slackStep) / slacks[i]!
    }
  }

  /** The largest step, up to `most`, that keeps slacks and multipliers of bounds from turning negative. */
  #stepLength(most: number): number {
    const { slacks, boundMultipliers } = this.#at
    let length = most
    for (let i = 0; i < slacks.length; i++) {
      if (this.#step.slacks[i]! < 0) length = Math.min(length, -slacks[i]! / this.#step.slacks[i]!)
      if (this.#step.boundMultipliers[i]! < 0) {
        length = Math.min(length, -boundMultipliers[i]! / this.#step.boundMultipliers[i]!)
      }
    }
    return length
  }

  #report(status: QuadraticStatus, iterations: number): QuadraticSolution {
    const { structure } = this.kkt
    const { x, multipliers, boundMultipliers } = this.#at
    const lowerMultipliers = new Float64Array(structure.variables)
    const upperMultipliers = new Float64Array(structure.variables)
    this.#bounds.index.forEach((variable, i) => {
      const target = this.#bounds.sign[i]! > 0 ? lowerMultipliers : upperMultipliers
      target[variable] = boundMultipliers[i]!
    })
    const product = new Float64Array(structure.variables)
    multiplySymmetric(structure.hessian, this.values.hessian, x, product)
    return {
      status,
      x,
      objective: 0.5 * dot(x, product) + dot(this.values.gradient, x),
      multipliers,
      lowerMultipliers,
      upperMultipliers,
      iterations,
      primalResidual: Math.max(maxAbs(this.#residuals.primal), maxAbs(this.#residuals.bound)),
      dualResidual: maxAbs(this.#residuals.dual),
      complementarity: this.#largestComplementarity(),
    }
  }
}

function collectBounds(lower: Float64Array, upper: Float64Array): Bounds {
  const index: number[] = []
  const sign: number[] = []
  const value: number[] = []
  lower.forEach((low, i) => {
    for (const [bound, direction] of [
      [low, 1],
      [upper[i]!, -1],
    ] as const) {
      if (!Number.isFinite(bound)) continue
      index.push(i)
      sign.push(direction)
      value.push(bound)
    }
  })
  return { index: Int32Array.from(index), sign: Int8Array.from(sign), value: Float64Array.from(value) }
}

function createIterate(variables: number, equalities: number, bounds: number): Iterate {
  return {
    x: new Float64Array(variables),
    multipliers: new Float64Array(equalities),
    slacks: new Float64Array(bounds),
    boundMultipliers: new Float64Array(bounds),
  }
}

function move(point: Float64Array, length: number, step: Float64Array): void {
  for (let i = 0; i < point.length; i++) point[i] = point[i]! + length * step[i]!
}
