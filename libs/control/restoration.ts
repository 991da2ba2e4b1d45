import type { Barrier } from './barrier.js'
import type { KktSystem } from './kkt-system.js'
import { createDerivatives, type NonlinearProgram } from './nonlinear-program.js'
import { multiplyPattern } from './pattern.js'
import { dot } from './vector.js'

const STEPS = 300
const HALVINGS = 30
const SHARE = 0.99
const SUFFICIENT_DECREASE = 1e-4
const STALLED = 1e-9
const STALLED_STEPS = 5

/**
 * The restoration phase of Wächter & Biegler (2006), section 3.3, in least squares: Gauss–Newton steps on ½‖c‖² with the
 * barrier, tied a little to where it began.
 * @param isAcceptable whether the method can go on from here.
 */
export function restoreFeasibility(
  program: NonlinearProgram,
  kkt: KktSystem,
  barrier: Barrier,
  start: Float64Array,
  mu: number,
  isAcceptable: (z: Float64Array) => boolean,
): { readonly z: Float64Array; readonly accepted: boolean } {
  const { variables, equalities, jacobian } = program.structure
  const derivatives = createDerivatives(program.structure)
  const noMultipliers = new Float64Array(equalities)
  const noCurvature = new Float64Array(derivatives.hessian.length)
  const weight = start.map((value) => Math.min(1, 1 / Math.abs(value)) ** 2)
  let z = start
  let constraints = new Float64Array(equalities)
  program.evaluate(z, constraints)
  let stalled = 0
  for (let count = 0; count < STEPS; count++) {
    const misses = dot(constraints, constraints)
    // Both ties fade with what is left to restore, or they would keep it from coming to 0.
    const pull = Math.min(1e-3, Math.sqrt(mu)) * Math.min(1, Math.sqrt(misses))
    const push = Math.min(mu, 1e-2 * misses)
    program.differentiate(z, noMultipliers, derivatives)
    const toLow = z.map((value, i) => value - barrier.lower[i]!)
    const toHigh = z.map((value, i) => barrier.upper[i]! - value)
    const diagonal = z.map((_, i) => pull * weight[i]! + push / toLow[i]! ** 2 + push / toHigh[i]! ** 2)
    if (!kkt.factor(noCurvature, derivatives.jacobian, diagonal, 1)) return { z, accepted: false }
    const right = new Float64Array(variables + equalities)
    for (let i = 0; i < variables; i++) {
      right[i] = -(pull * weight[i]! * (z[i]! - start[i]!) - push / toLow[i]! + push / toHigh[i]!)
    }
    const slopes = right.subarray(0, variables).map((value) => -value)
    for (let i = 0; i < equalities; i++) right[variables + i] = -constraints[i]!
    kkt.solve(right)
    const step = right.subarray(0, variables)
    const change = new Float64Array(equalities)
    multiplyPattern(jacobian, derivatives.jacobian, step, change)
    const slope = dot(slopes, step) + dot(constraints, change)
    const tie = (at: Float64Array): number =>
      0.5 * pull * at.reduce((sum, value, i) => sum + weight[i]! * (value - start[i]!) ** 2, 0) +
      push * barrier.logarithms(at)
    const merit = 0.5 * misses + tie(z)
    let length = barrier.stepLength(z, step, SHARE)
    let found = false
    for (let halving = 0; halving < HALVINGS && !found; halving++, length /= 2) {
      const trial = z.map((value, i) => value + length * step[i]!)
      const missed = new Float64Array(equalities)
      program.evaluate(trial, missed)
      const value = 0.5 * dot(missed, missed) + tie(trial)
      if (!(value <= merit + SUFFICIENT_DECREASE * length * slope)) continue
      z = trial
      constraints = missed
      found = true
    }
    if (isAcceptable(z)) return { z, accepted: true }
    const left = dot(constraints, constraints)
    stalled = left > (1 - STALLED) * misses ? stalled + 1 : 0
    if (!found || stalled >= STALLED_STEPS) return { z, accepted: false }
  }
  return { z, accepted: false }
}
