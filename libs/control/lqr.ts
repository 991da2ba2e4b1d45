import { Matrix } from 'ml-matrix'

import { readSymmetric, symmetrise, writeMatrix } from './dense-matrix.js'
import { readLinearQuadratic, solveSymmetric, type LinearQuadratic } from './riccati.js'

export interface FiniteHorizonProblem extends LinearQuadratic {
  /** Steps, ≥ 1. */
  readonly steps: number
  /** float64[n, n], symmetric: of the last state; 0 when left out. */
  readonly terminal?: Float64Array
}

export interface FiniteHorizonGains {
  /** float64[steps, m, n], row-major: the optimal control at step k is u = -K[k] x. */
  readonly K: Float64Array
  /** float64[steps + 1, n, n], row-major: xᵀP[k] x is the optimal cost from step k on. */
  readonly P: Float64Array
}

/**
 * The linear regulator over a finite horizon, min x_NᵀF x_N + Σ xᵀQ x + uᵀR u with x⁺ = A x + B u, by the Riccati recursion
 * (Bertsekas, Dynamic Programming and Optimal Control I, 3rd ed. 2005, section 4.1).
 * @throws RangeError naming the argument that is malformed; Error when R + BᵀP B is singular at a step.
 */
export function solveFiniteHorizonLqr(problem: FiniteHorizonProblem): FiniteHorizonGains {
  const { steps } = problem
  const { a, b, q, r } = readLinearQuadratic(problem)
  if (!Number.isSafeInteger(steps) || steps < 1) {
    throw new RangeError(`steps is ${steps}; it must be a whole number above 0`)
  }
  const n = a.rows
  const m = b.columns
  const K = new Float64Array(steps * m * n)
  const P = new Float64Array((steps + 1) * n * n)
  let p = problem.terminal === undefined ? Matrix.zeros(n, n) : readSymmetric('terminal', problem.terminal, n)
  P.set(writeMatrix(p), steps * n * n)
  for (let k = steps - 1; k >= 0; k--) {
    const bp = b.transpose().mmul(p)
    const gain = solveSymmetric(symmetrise(Matrix.add(r, bp.mmul(b))), bp.mmul(a))
    if (gain === undefined) {
      throw new Error(`R + BᵀP B is singular at step ${k}: a control has no cost and no effect there; give it a weight`)
    }
    p = symmetrise(
      Matrix.add(
        q,
        a
          .transpose()
          .mmul(p)
          .mmul(Matrix.sub(a, b.mmul(gain))),
      ),
    )
    K.set(writeMatrix(gain), k * m * n)
    P.set(writeMatrix(p), k * n * n)
  }
  return { K, P }
}
