import { defineProblem } from '../problem.js'
import type { PublishedProblem } from './published.js'

/** Optimal costs by horizon, from indirect shooting and collocation that agree to 1e-11. */
const OBJECTIVES = { 2: 1.04780690822, 5: 1.433476211282 } as const

/**
 * The van der Pol oscillator regulated from (1, 0) with a free end, min ½∫(x₁² + x₂² + u²) dt.
 * @throws RangeError when nobody has published the horizon.
 */
export function vanDerPol({ horizon }: { readonly horizon: 2 | 5 }): PublishedProblem {
  const objective = (OBJECTIVES as Readonly<Record<number, number>>)[horizon]
  if (objective === undefined) throw new RangeError(`horizon is ${horizon}; published answers exist for 2 and 5`)
  return {
    problem: defineProblem({
      name: `van der Pol, T = ${horizon}`,
      states: ['x1', 'x2'],
      controls: ['u'],
      horizon,
      dynamics: ({ x1, x2 }, { u }) => ({ x1: x2, x2: x2.times(x1.squared().negated().plus(1)).minus(x1).plus(u) }),
      runningCost: ({ x1, x2 }, { u }) => x1.squared().plus(x2.squared()).plus(u.squared()).times(0.5),
      initial: { x1: 1, x2: 0 },
    }),
    intervals: 60,
    published: {
      objective,
      relativeTolerance: 1e-6,
      source: 'the regulators of Bocop (T = 2) and pins-ocs/OCP-tests (T = 5), converged by indirect shooting',
    },
  }
}
