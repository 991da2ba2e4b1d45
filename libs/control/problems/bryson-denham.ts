import { defineProblem } from '../problem.js'
import type { PublishedProblem } from './published.js'

/**
 * Bryson–Denham: the least-effort transfer of a double integrator from (0, 1) to (0, -1) in unit time under a bound on the
 * position, min ½∫u² dt.
 * @param stateBound ℓ in x ≤ ℓ, above 0.
 * @throws RangeError when the bound is not above 0: no trajectory leaves x = 0 at speed 1 and stays below.
 */
export function brysonDenham({ stateBound }: { readonly stateBound: number }): PublishedProblem {
  const objective = brysonDenhamExact(stateBound)
  return {
    problem: defineProblem({
      name: `Bryson–Denham, x ≤ ${stateBound}`,
      states: ['position', 'speed'],
      controls: ['force'],
      horizon: 1,
      dynamics: ({ speed }, { force }) => ({ position: speed, speed: force }),
      runningCost: (_x, { force }) => force.squared().times(0.5),
      stateBounds: { position: { upper: stateBound } },
      initial: { position: 0, speed: 1 },
      final: { position: 0, speed: -1 },
    }),
    intervals: 80,
    published: {
      objective,
      relativeTolerance: 1e-4,
      source:
        'closed form: Bryson, Denham & Dreyfus, AIAA J. 1 (1963) 2544; Bryson & Ho, Applied Optimal Control, section 3.11',
    },
  }
}

/** The optimal cost of Bryson–Denham in closed form; to check and plot results with, never to make them. */
export function brysonDenhamExact(stateBound: number): number {
  if (!(stateBound > 0)) throw new RangeError(`stateBound is ${stateBound}; it must be above 0`)
  if (stateBound <= 1 / 6) return 4 / (9 * stateBound)
  return stateBound <= 1 / 4 ? 2 + 6 * (1 - 4 * stateBound) ** 2 : 2
}
