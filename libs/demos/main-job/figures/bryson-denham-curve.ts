import { brysonDenhamExact } from 'costate/control'

/** Where the solution of Bryson–Denham changes its kind: an arc on the bound, one touch, a bound that does not matter. */
export const regimeEdges = { arcToTouch: 1 / 6, touchToFree: 1 / 4 } as const

/** The exact optimal cost J(ℓ), to be drawn; NaN where there is no solution. */
export function exactCost(stateBound: number): number {
  return stateBound > 0 ? brysonDenhamExact(stateBound) : Number.NaN
}
