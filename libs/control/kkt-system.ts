import { createEnvelope, factorEnvelope, positionOf, solveEnvelope, type Envelope } from './envelope.js'
import { multiplyPattern, multiplyPatternTransposed, multiplySymmetric, type Pattern } from './pattern.js'
import { maxAbs } from './vector.js'

/** The shape of a quadratic program min ½xᵀHx + gᵀx subject to Ax = b and bounds, and the order in which to eliminate. */
export interface KktStructure {
  readonly variables: number
  readonly equalities: number
  /** The lower triangle of H, row ≥ column. */
  readonly hessian: Pattern
  readonly jacobian: Pattern
  /**
   * int32[variables + equalities]: the place of each variable, then of each equality, in the elimination. An equality should
   * come after at least one of its variables.
   */
  readonly order: Int32Array
}

/** The values of a quadratic program min ½xᵀHx + gᵀx subject to Ax = b, lower ≤ x ≤ upper, in a known structure. */
export interface QuadraticValues {
  readonly hessian: Float64Array
  /** float64[variables]. */
  readonly gradient: Float64Array
  readonly jacobian: Float64Array
  /** float64[equalities]. */
  readonly rightHandSide: Float64Array
  /** float64[variables]; -Infinity where there is no bound. */
  readonly lower: Float64Array
  /** float64[variables]; Infinity where there is no bound. */
  readonly upper: Float64Array
}

/**
 * The KKT matrix [H + diag, Aᵀ; A, -softness] of one structure, factored again and again with other values. What is factored
 * carries a small regularisation [ρ, 0; 0, -ρ] that makes it quasidefinite where H is positive semidefinite, so that a factor
 * exists in any order; iterative refinement takes it out of the solution again (Friedlander & Orban, Math. Prog. Comp. 4
 * (2012) 71).
 */
export interface KktSystem {
  readonly structure: KktStructure
  /**
   * @param hessian, jacobian values in the order of the patterns; kept by reference until the next call.
   * @param diagonal float64[variables], added to the diagonal of H.
   * @param softness ≥ 0, subtracted from the diagonal of the equalities.
   * @returns false when H + diag is not positive definite on the nullspace of A (the inertia is not (n, m, 0); Nocedal & Wright,
   * Numerical Optimization, 2nd ed. 2006, theorem 16.3), or the matrix can't be factored at all.
   */
  factor(hessian: Float64Array, jacobian: Float64Array, diagonal: Float64Array, softness: number): boolean
  /** Solves for a right-hand side float64[variables + equalities], variables first, in place. */
  solve(rightHandSide: Float64Array): void
}

const REGULARISATION = 1e-8
const STRONGEST_REGULARISATION = 1e-4
const REFINEMENTS = 8
const REFINED_RESIDUAL = 1e-14

export function createKktSystem(structure: KktStructure): KktSystem {
  return new EnvelopeKktSystem(structure)
}

class EnvelopeKktSystem implements KktSystem {
  readonly #envelope: Envelope
  readonly #hessianPositions: Int32Array
  readonly #jacobianPositions: Int32Array
  readonly #factor: Float64Array
  readonly #residual: Float64Array
  readonly #permuted: Float64Array
  readonly #solution: Float64Array
  readonly #negated: Float64Array
  #hessian: Float64Array = new Float64Array()
  #jacobian: Float64Array = new Float64Array()
  #diagonal: Float64Array = new Float64Array()
  #softness = 0

  constructor(readonly structure: KktStructure) {
    const { variables, equalities, hessian, jacobian, order } = structure
    const size = variables + equalities
    const first = Int32Array.from({ length: size }, (_, i) => i)
    const reach = (a: number, b: number): void => {
      const row = Math.max(a, b)
      first[row] = Math.min(first[row]!, a, b)
    }
    hessian.rows.forEach((row, e) => reach(order[row]!, order[hessian.columns[e]!]!))
    jacobian.rows.forEach((row, e) => reach(order[variables + row]!, order[jacobian.columns[e]!]!))
    this.#envelope = createEnvelope(first)
    const position = (a: number, b: number): number => positionOf(this.#envelope, Math.max(a, b), Math.min(a, b))
    this.#hessianPositions = hessian.rows.map((row, e) => position(order[row]!, order[hessian.columns[e]!]!))
    this.#jacobianPositions = jacobian.rows.map((row, e) =>
      position(order[variables + row]!, order[jacobian.columns[e]!]!),
    )
    this.#factor = new Float64Array(this.#envelope.start[size]!)
    this.#residual = new Float64Array(size)
    this.#permuted = new Float64Array(size)
    this.#solution = new Float64Array(size)
    this.#negated = new Float64Array(size)
  }

  factor(hessian: Float64Array, jacobian: Float64Array, diagonal: Float64Array, softness: number): boolean {
    this.#hessian = hessian
    this.#jacobian = jacobian
    this.#diagonal = diagonal
    this.#softness = softness
    for (let shift = REGULARISATION; shift <= STRONGEST_REGULARISATION; shift *= 100) {
      this.#assemble(shift)
      const negative = factorEnvelope(this.#envelope, this.#factor)
      if (negative >= 0) return negative === this.structure.equalities
    }
    return false
  }

  solve(rightHandSide: Float64Array): void {
    const { order } = this.structure
    const size = order.length
    const x = this.#solution.fill(0)
    const residual = this.#residual
    residual.set(rightHandSide)
    const scale = maxAbs(rightHandSide)
    let norm = scale
    for (let pass = 0; pass <= REFINEMENTS && norm > REFINED_RESIDUAL * scale; pass++) {
      for (let i = 0; i < size; i++) this.#permuted[order[i]!] = residual[i]!
      solveEnvelope(this.#envelope, this.#factor, this.#permuted)
      for (let i = 0; i < size; i++) x[i] = x[i]! + this.#permuted[order[i]!]!
      this.#subtractProduct(rightHandSide, x, residual)
      const next = maxAbs(residual)
      if (!(next < norm)) {
        // Refinement has reached what the factor can give; the last correction made it no better.
        if (pass > 0) for (let i = 0; i < size; i++) x[i] = x[i]! - this.#permuted[order[i]!]!
        break
      }
      norm = next
    }
    rightHandSide.set(x)
  }

  #assemble(shift: number): void {
    const { variables, equalities, order } = this.structure
    const values = this.#factor.fill(0)
    const { start } = this.#envelope
    for (let e = 0; e < this.#hessian.length; e++) {
      const at = this.#hessianPositions[e]!
      values[at] = values[at]! + this.#hessian[e]!
    }
    for (let e = 0; e < this.#jacobian.length; e++) {
      const at = this.#jacobianPositions[e]!
      values[at] = values[at]! + this.#jacobian[e]!
    }
    for (let i = 0; i < variables; i++) {
      const at = start[order[i]! + 1]! - 1
      values[at] = values[at]! + this.#diagonal[i]! + shift
    }
    for (let i = 0; i < equalities; i++) values[start[order[variables + i]! + 1]! - 1] = -this.#softness - shift
  }

  /** residual = rightHandSide - K x, without the regularisation. */
  #subtractProduct(rightHandSide: Float64Array, x: Float64Array, residual: Float64Array): void {
    const { variables, equalities, hessian, jacobian } = this.structure
    const negated = this.#negated
    for (let i = 0; i < x.length; i++) negated[i] = -x[i]!
    for (let i = 0; i < variables; i++) residual[i] = rightHandSide[i]! - this.#diagonal[i]! * x[i]!
    for (let i = variables; i < variables + equalities; i++) residual[i] = rightHandSide[i]! + this.#softness * x[i]!
    multiplySymmetric(hessian, this.#hessian, negated, residual)
    multiplyPattern(jacobian, this.#jacobian, negated, residual.subarray(variables))
    multiplyPatternTransposed(jacobian, this.#jacobian, negated.subarray(variables), residual, 1)
  }
}
