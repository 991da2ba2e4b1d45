import type { Barrier } from './barrier.js'
import { solveInteriorPoint } from './interior-point.js'
import type { KktSystem } from './kkt-system.js'
import { createDerivatives, type NonlinearProgram } from './nonlinear-program.js'
import { multiplyPattern } from './pattern.js'
import { dot } from './vector.js'

const STEPS = 100
const HALVINGS = 30
const SHARE = 0.995
const SUFFICIENT_DECREASE = 1e-4
/** A step that promises less of ‖c‖² than this is none. */
const LEAST_PROMISE = 1e-5
const PULL = 1e-6

/** Where a restoration ended. */
export interface Restored {
  readonly z: Float64Array
  /** Whether the method can go on from here. */
  readonly accepted: boolean
  /** Whether no move within the bounds promised to lower ‖c‖ any more. */
  readonly isStationary: boolean
}

/**
 * The restoration phase of Wächter & Biegler (2006), section 3.3, in least squares: Gauss–Newton steps on ½‖c‖² within the bounds, each
 * a convex quadratic program, tied a little to where it began.
 * @param isAcceptable whether the method can go on from a point.
 */
export function restoreFeasibility(
  program: NonlinearProgram,
  kkt: KktSystem,
  barrier: Barrier,
  start: Float64Array,
  isAcceptable: (z: Float64Array) => boolean,
): Restored {
  const { variables, equalities, jacobian, hessian } = program.structure
  const derivatives = createDerivatives(program.structure)
  const noMultipliers = new Float64Array(equalities)
  const weight = start.map((value) => PULL * Math.min(1, 1 / Math.abs(value)) ** 2)
  const curvature = Float64Array.from(hessian.rows, (row, e) => (row === hessian.columns[e] ? weight[row]! : 0))
  const meritOf = (z: Float64Array, misses: Float64Array): number =>
    0.5 * (dot(misses, misses) + z.reduce((sum, value, i) => sum + weight[i]! * (value - start[i]!) ** 2, 0))
  let z = start
  let constraints = new Float64Array(equalities)
  program.evaluate(z, constraints)
  for (let count = 0; count < STEPS; count++) {
    program.differentiate(z, noMultipliers, derivatives)
    const at = z
    const values = {
      hessian: curvature,
      gradient: at.map((value, i) => weight[i]! * (value - start[i]!)),
      jacobian: derivatives.jacobian,
      rightHandSide: constraints.map((value) => -value),
      lower: barrier.lower.map((bound, i) => bound - at[i]!),
      upper: barrier.upper.map((bound, i) => bound - at[i]!),
    }
    const options = { tolerance: 1e-8, maxIterations: 60, softness: 1 }
    const { x: step } = solveInteriorPoint(kkt, values, new Float64Array(variables), options)
    const linearised = constraints.slice()
    multiplyPattern(jacobian, derivatives.jacobian, step, linearised)
    const misses = dot(constraints, constraints)
    const promise = misses - dot(linearised, linearised)
    if (!(promise > LEAST_PROMISE * misses)) return { z, accepted: false, isStationary: true }
    const merit = meritOf(z, constraints)
    let length = barrier.stepLength(z, step, SHARE)
    let found = false
    for (let halving = 0; halving < HALVINGS && !found; halving++, length /= 2) {
      const trial = at.map((value, i) => value + length * step[i]!)
      const missed = new Float64Array(equalities)
      program.evaluate(trial, missed)
      if (!(meritOf(trial, missed) <= merit - SUFFICIENT_DECREASE * length * promise)) continue
      z = trial
      constraints = missed
      found = true
    }
    if (isAcceptable(z)) return { z, accepted: true, isStationary: false }
    if (!found) break
  }
  return { z, accepted: false, isStationary: false }
}
