import { defineProblem } from '../problem.js'
import type { PublishedProblem } from './published.js'

/** The Rayleigh problem (tunnel diode oscillator), case A: from (-5, -5), free end, no constraints, min ∫(u² + x₁²) dt. */
export function rayleigh(): PublishedProblem {
  return {
    problem: defineProblem({
      name: 'Rayleigh, case A',
      states: ['x1', 'x2'],
      controls: ['u'],
      horizon: 2.5,
      dynamics: ({ x1, x2 }, { u }) => ({
        x1: x2,
        x2: x2.times(x2.squared().times(-0.14).plus(1.4)).minus(x1).plus(u.times(4)),
      }),
      runningCost: ({ x1 }, { u }) => u.squared().plus(x1.squared()),
      initial: { x1: -5, x2: -5 },
    }),
    intervals: 160,
    published: {
      objective: 29.376079655943,
      relativeTolerance: 1e-6,
      source: 'Maurer & Augustin (2001) give 29.376; converged by indirect shooting',
    },
  }
}
