import { evaluatePolynomials } from './orthogonal-family.js'
import type { StandardInput } from './random-input.js'

/** A polynomial chaos expansion: a polynomial in independent random inputs, and what follows from it. */
export interface ChaosExpansion {
  /** By term: the degree in each input. */
  readonly multiIndices: readonly (readonly number[])[]
  /** Of the orthonormal polynomials, float64[terms]. */
  readonly coefficients: Float64Array
  readonly mean: number
  readonly variance: number
  /** Sobol' indices by input (Sudret 2008): its part of the variance alone, and with all that it takes part in. */
  readonly sobol: {
    readonly first: Readonly<Record<string, number>>
    readonly total: Readonly<Record<string, number>>
    /** Of two inputs together, without what each does alone, by `'a*b'`. */
    readonly second: Readonly<Record<string, number>>
  }
  /** The expansion's value at inputs: a cheap stand-in for the model. */
  evaluate(inputs: Readonly<Record<string, number>>): number
}

/** The values of all terms at a point of the standard variables, float64[terms]. */
export function evaluateTerms(
  inputs: readonly StandardInput[],
  multiIndices: readonly (readonly number[])[],
  t: ArrayLike<number>,
): Float64Array {
  const polynomials = inputs.map(({ family }, j) => {
    const degree = multiIndices.reduce((most, index) => Math.max(most, index[j]!), 0)
    return evaluatePolynomials(family, degree, t[j]!)
  })
  return Float64Array.from(multiIndices, (index) =>
    index.reduce((product, degree, j) => product * polynomials[j]![degree]!, 1),
  )
}

/** What follows from the coefficients. */
export function describeExpansion(
  inputs: readonly StandardInput[],
  multiIndices: readonly (readonly number[])[],
  coefficients: Float64Array,
): ChaosExpansion {
  const parts = multiIndices.map((index, term) => ({
    active: index.flatMap((degree, j) => (degree > 0 ? [j] : [])),
    part: coefficients[term]! ** 2,
  }))
  const varying = parts.filter(({ active }) => active.length > 0)
  const variance = varying.reduce((sum, { part }) => sum + part, 0)
  const share = (is: (active: readonly number[]) => boolean): number =>
    variance === 0 ? 0 : varying.reduce((sum, { active, part }) => (is(active) ? sum + part : sum), 0) / variance
  const byInput = (is: (active: readonly number[], j: number) => boolean): Record<string, number> =>
    Object.fromEntries(inputs.map(({ name }, j) => [name, share((active) => is(active, j))]))
  const pairs = inputs.flatMap((a, i) =>
    inputs
      .slice(i + 1)
      .map((b, k): [string, number] => [
        `${a.name}*${b.name}`,
        share((active) => active.length === 2 && active[0] === i && active[1] === i + 1 + k),
      ]),
  )
  return {
    ...{ multiIndices, coefficients, mean: coefficients[0]!, variance },
    sobol: {
      first: byInput((active, j) => active.length === 1 && active[0] === j),
      total: byInput((active, j) => active.includes(j)),
      second: Object.fromEntries(pairs),
    },
    evaluate: (values) => {
      const t = inputs.map(({ name, toStandard }) => {
        const value = values[name]
        if (value === undefined) throw new TypeError(`the expansion's input ${name} is missing`)
        return toStandard(value)
      })
      const terms = evaluateTerms(inputs, multiIndices, t)
      return coefficients.reduce((sum, coefficient, term) => sum + coefficient * terms[term]!, 0)
    },
  }
}
