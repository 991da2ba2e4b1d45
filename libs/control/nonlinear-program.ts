import type { KktStructure } from './kkt-system.js'

/** First and second derivatives at a point, in the order of a program's patterns. */
export interface Derivatives {
  /** ∇f, float64[variables]. */
  readonly gradient: Float64Array
  /** ∂c/∂z, in the order of `structure.jacobian`. */
  readonly jacobian: Float64Array
  /** ∇²(f - λᵀc), in the order of `structure.hessian`. */
  readonly hessian: Float64Array
}

/** min f(z) subject to c(z) = 0, lower ≤ z ≤ upper, with derivatives in a fixed sparse structure. */
export interface NonlinearProgram {
  readonly structure: KktStructure
  /** float64[variables], -Infinity where there is no bound. */
  readonly lower: Float64Array
  /** float64[variables], Infinity where there is no bound. */
  readonly upper: Float64Array
  /** Writes c(z) into `constraints`, float64[equalities], and returns f(z). */
  evaluate(z: Float64Array, constraints: Float64Array): number
  /** Writes the derivatives at z for the multipliers λ, float64[equalities]. */
  differentiate(z: Float64Array, multipliers: Float64Array, derivatives: Derivatives): void
  /** Overwrites the Hessian of the last `differentiate` with a positive semidefinite one near it, in the same structure. */
  convexify(hessian: Float64Array): void
  /** Equation `row` in the words of the problem, for who is told that it can't be met. */
  describe?(row: number): string
}

export function createDerivatives({ variables, jacobian, hessian }: KktStructure): Derivatives {
  return {
    gradient: new Float64Array(variables),
    jacobian: new Float64Array(jacobian.rows.length),
    hessian: new Float64Array(hessian.rows.length),
  }
}
