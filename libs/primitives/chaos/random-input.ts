import { normalQuantile } from '../normal-quantile.js'
import { hermite, legendre, type OrthogonalFamily } from './orthogonal-family.js'

/** The distribution of one input; inputs are independent. */
export type RandomInput =
  | { readonly distribution: 'uniform'; readonly low: number; readonly high: number }
  | { readonly distribution: 'normal'; readonly mean: number; readonly std: number }

/** An input as a function of a standard variable. */
export interface StandardInput {
  readonly name: string
  readonly family: OrthogonalFamily
  /** The input's value at a value of the standard variable. */
  readonly fromStandard: (t: number) => number
  readonly toStandard: (x: number) => number
  /** The standard variable's quantile; u in (0, 1). */
  readonly quantile: (u: number) => number
}

/** @throws RangeError or TypeError that names the input. */
export function standardInput(name: string, input: RandomInput): StandardInput {
  switch (input.distribution) {
    case 'uniform': {
      const { low, high } = input
      if (!(Number.isFinite(low) && Number.isFinite(high) && low < high)) {
        throw new RangeError(
          `polynomialChaos: ${name} is uniform from ${low} to ${high}; give finite numbers, low < high`,
        )
      }
      const [middle, half] = [(low + high) / 2, (high - low) / 2]
      const quantile = (u: number): number => 2 * u - 1
      return {
        name,
        family: legendre,
        fromStandard: (t) => middle + half * t,
        toStandard: (x) => (x - middle) / half,
        quantile,
      }
    }
    case 'normal': {
      const { mean, std } = input
      if (!(Number.isFinite(mean) && Number.isFinite(std) && std > 0)) {
        throw new RangeError(
          `polynomialChaos: ${name} is normal with mean ${mean} and std ${std}; give finite ones, std > 0`,
        )
      }
      const quantile = normalQuantile
      return {
        name,
        family: hermite,
        fromStandard: (t) => mean + std * t,
        toStandard: (x) => (x - mean) / std,
        quantile,
      }
    }
    default:
      input satisfies never
      throw new TypeError(`polynomialChaos: ${name} has a distribution that is neither uniform nor normal`)
  }
}
