/** Where the solution of Bryson–Denham changes its kind: an arc on the bound, one touch, a bound that does not matter. */
export const regimeEdges = { arcToTouch: 1 / 6, touchToFree: 1 / 4 } as const

/**
 * The exact optimal cost J(ℓ) of min ½∫u² dt, x1″ = u, x1 ≤ ℓ, from (0, 1) to (0, −1) in unit time. It is only drawn, never
 * used to solve. Bryson, Denham & Dreyfus, AIAA J. 1 (1963) 2544; Bryson & Ho, Applied Optimal Control, §3.11.
 */
export function exactCost(stateBound: number): number {
  if (!(stateBound > 0)) return Number.NaN
  if (stateBound <= regimeEdges.arcToTouch) return 4 / (9 * stateBound)
  if (stateBound <= regimeEdges.touchToFree) return 2 + 6 * (1 - 4 * stateBound) ** 2
  return 2
}
