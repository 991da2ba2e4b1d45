import { Matrix, QrDecomposition } from 'ml-matrix'

import { latinHypercube } from '../sampling/latin-hypercube.js'
import { evaluateTerms } from './expansion.js'
import { gaussQuadrature } from './orthogonal-family.js'
import type { StandardInput } from './random-input.js'

/** Points of the standard variables at which the model is evaluated. */
export interface DesignPoint {
  readonly t: readonly number[]
  /** Its part of the whole, for quadrature. */
  readonly weight: number
}

const mostNodes = 1_000_000

/** All combinations of Gauss nodes, the last input changing fastest. Throws a RangeError for more than a million. */
export function tensorQuadrature(inputs: readonly StandardInput[], nodes: number): DesignPoint[] {
  if (nodes ** inputs.length > mostNodes) {
    throw new RangeError(
      `polynomialChaos: quadrature has ${nodes}^${inputs.length} points, at most ${mostNodes} are allowed; take method: 'regression'`,
    )
  }
  let points: DesignPoint[] = [{ t: [], weight: 1 }]
  for (const { family } of inputs) {
    const { nodes: places, weights } = gaussQuadrature(family, nodes)
    points = points.flatMap(({ t, weight }) =>
      Array.from(places, (place, k) => ({ t: [...t, place], weight: weight * weights[k]! })),
    )
  }
  return points
}

/** A Latin hypercube in the inputs' probabilities. */
export function latinDesign(inputs: readonly StandardInput[], n: number, seed: bigint | number): DesignPoint[] {
  return latinHypercube(n, inputs.length, seed).map((u) => ({
    t: inputs.map(({ quantile }, j) => quantile(Math.max(u[j]!, Number.EPSILON))),
    weight: 1 / n,
  }))
}

/** Coefficients as integrals of the model with each term. */
export function project(
  inputs: readonly StandardInput[],
  multiIndices: readonly (readonly number[])[],
  points: readonly DesignPoint[],
  values: Float64Array,
): Float64Array {
  const coefficients = new Float64Array(multiIndices.length)
  for (const [k, { t, weight }] of points.entries()) {
    const terms = evaluateTerms(inputs, multiIndices, t)
    for (let term = 0; term < terms.length; term++) coefficients[term]! += weight * values[k]! * terms[term]!
  }
  return coefficients
}

/** Coefficients that fit the model's values best (least squares by QR). */
export function regress(
  inputs: readonly StandardInput[],
  multiIndices: readonly (readonly number[])[],
  points: readonly DesignPoint[],
  values: Float64Array,
): Float64Array {
  const design = new Matrix(points.map(({ t }) => [...evaluateTerms(inputs, multiIndices, t)]))
  const qr = new QrDecomposition(design)
  if (!qr.isFullRank()) {
    throw new RangeError(
      'polynomialChaos: the samples do not tell the terms apart; give more samples or a lower degree',
    )
  }
  return Float64Array.from(qr.solve(Matrix.columnVector([...values])).to1DArray())
}
