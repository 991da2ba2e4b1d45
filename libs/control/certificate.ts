import type { KktStructure, QuadraticValues } from './kkt-system.js'
import { multiplyPattern, multiplyPatternTransposed, multiplySymmetric } from './pattern.js'
import { dot, maxAbs } from './vector.js'

/** Only iterates and multipliers that have grown this far beyond the data are looked at for a certificate. */
const DIVERGED = 1e3
const CERTAINTY = 1e-8

/**
 * Whether the multipliers y show that Ax = b contradicts the bounds: yᵀb lies above the largest yᵀAx that the bounds allow
 * (Farkas; Nocedal & Wright, Numerical Optimization, 2nd ed. 2006, lemma 12.4).
 */
export function provesInfeasible(
  structure: KktStructure,
  { gradient, jacobian, rightHandSide, lower, upper }: QuadraticValues,
  multipliers: Float64Array,
  x: Float64Array,
): boolean {
  const size = maxAbs(multipliers)
  if (!(size > DIVERGED * (1 + maxAbs(gradient)))) return false
  const combined = new Float64Array(structure.variables)
  multiplyPatternTransposed(structure.jacobian, jacobian, multipliers, combined, 1 / size)
  let gap = dot(multipliers, rightHandSide) / size
  for (let i = 0; i < combined.length; i++) {
    const bound = combined[i]! > 0 ? upper[i]! : lower[i]!
    if (Number.isFinite(bound)) gap -= combined[i]! * bound
    else if (Math.abs(combined[i]!) > CERTAINTY) return false
    else gap -= Math.abs(combined[i]! * x[i]!)
  }
  return gap > CERTAINTY * (1 + maxAbs(rightHandSide))
}

/** Whether x shows a direction within the constraints along which the objective has no curvature and falls. */
export function provesUnbounded(
  structure: KktStructure,
  { gradient, hessian, jacobian, rightHandSide, lower, upper }: QuadraticValues,
  x: Float64Array,
): boolean {
  const size = maxAbs(x)
  if (!(size > DIVERGED * (1 + maxAbs(rightHandSide)))) return false
  const curvature = new Float64Array(structure.variables)
  multiplySymmetric(structure.hessian, hessian, x, curvature)
  const drift = new Float64Array(structure.equalities)
  multiplyPattern(structure.jacobian, jacobian, x, drift)
  const isSteady = maxAbs(curvature) <= CERTAINTY * size && maxAbs(drift) <= CERTAINTY * size
  const leavesBounds = x.some(
    (value, i) => Math.abs(value) > CERTAINTY * size && Number.isFinite(value > 0 ? upper[i]! : lower[i]!),
  )
  return isSteady && !leavesBounds && dot(gradient, x) < -CERTAINTY * size
}
