import { defineProblem } from 'costate/control'

import type { ControlCase } from './control-case.js'

/** The tunnel diode oscillator with u + x₁/6 ≤ 0 (case B). */
export function rayleighBelow(): ControlCase {
  return {
    problem: defineProblem({
      name: 'Rayleigh, case B',
      states: ['x1', 'x2'],
      controls: ['u'],
      horizon: 4.5,
      dynamics: ({ x1, x2 }, { u }) => ({
        x1: x2,
        x2: x2.times(x2.squared().times(-0.14).plus(1.4)).minus(x1).plus(u.times(4)),
      }),
      runningCost: ({ x1 }, { u }) => u.squared().plus(x1.squared()),
      pathConstraints: ({ x1 }, { u }) => ({ mixed: { value: u.plus(x1.dividedBy(6)), upper: 0 } }),
      initial: { x1: -5, x2: -5 },
    }),
    options: { intervals: 200, method: 'interiorPoint' },
  }
}

/** The van der Pol oscillator to a circle around the origin in the least time. */
export function vanDerPolToCircle(): ControlCase {
  return {
    problem: defineProblem({
      name: 'van der Pol to a circle',
      states: ['x1', 'x2'],
      controls: ['u'],
      horizon: { guess: 2 },
      dynamics: ({ x1, x2 }, { u }) => ({ x1: x2, x2: x2.times(x1.squared().negated().plus(1)).minus(x1).plus(u) }),
      terminalCost: (_x, horizon) => horizon,
      controlBounds: { u: { lower: -1, upper: 1 } },
      initial: { x1: 1, x2: 1 },
      boundaryConditions: (_first, { x1, x2 }) => ({
        circle: { value: x1.squared().plus(x2.squared()), lower: 0.04, upper: 0.04 },
      }),
    }),
    options: { intervals: 100, method: 'interiorPoint', refinement: { tolerance: 1e-6, rounds: 4 } },
  }
}

/** Fishing predators and prey, the fleet in any size from 0 to 1 (mintOC). */
export function fishing(): ControlCase {
  return {
    problem: defineProblem({
      name: 'Lotka–Volterra fishing',
      states: ['prey', 'predator'],
      controls: ['fleet'],
      horizon: 12,
      dynamics: ({ prey, predator }, { fleet }) => ({
        prey: prey.minus(prey.times(predator)).minus(prey.times(fleet).times(0.4)),
        predator: prey.times(predator).minus(predator).minus(predator.times(fleet).times(0.2)),
      }),
      runningCost: ({ prey, predator }) => prey.minus(1).squared().plus(predator.minus(1).squared()),
      controlBounds: { fleet: { lower: 0, upper: 1 } },
      initial: { prey: 0.5, predator: 0.7 },
    }),
    options: { intervals: 300, method: 'interiorPoint', initialGuess: () => ({ x: { prey: 1, predator: 1 } }) },
  }
}

/** Luus's singular problem of four states. */
export function luusSingular(): ControlCase {
  return {
    problem: defineProblem({
      name: 'Luus, singular',
      states: ['x1', 'x2', 'x3'],
      controls: ['u'],
      horizon: 1,
      dynamics: ({ x2, x3 }, { u }, t) => ({ x1: x2, x2: t.times(16).minus(8).minus(x3.times(u)), x3: u }),
      runningCost: ({ x1, x2, x3 }, { u }, t) =>
        x1
          .squared()
          .plus(x2.squared())
          .plus(x2.plus(t.times(16)).minus(8).minus(x3.times(u.squared()).times(0.1)).squared().times(0.0005)),
      controlBounds: { u: { lower: -4, upper: 10 } },
      initial: { x1: 0, x2: -1, x3: -Math.sqrt(5) },
    }),
    // The straight guess leads to a local optimum of 0.135. Hermite–Simpson lets the control ring on singular arcs.
    options: { intervals: 600, method: 'interiorPoint', scheme: 'trapezoidal', initialGuess: () => ({ u: { u: 5 } }) },
  }
}

/** A steel chain of given length between two points: the catenary. */
export function hangingChain(): ControlCase {
  return {
    problem: defineProblem({
      name: 'hanging chain',
      states: ['height', 'length'],
      controls: ['slope'],
      horizon: 1,
      dynamics: (_x, { slope }) => ({ height: slope, length: slope.squared().plus(1).sqrt() }),
      runningCost: ({ height }, { slope }) => height.times(slope.squared().plus(1).sqrt()),
      initial: { height: 1, length: 0 },
      final: { height: 3, length: 4 },
    }),
    options: {
      intervals: 600,
      method: 'interiorPoint',
      initialGuess: (fraction) => ({
        x: { height: 1 + 2 * fraction - 4 * fraction * (1 - fraction), length: 4 * fraction },
        u: { slope: 2 - 4 * (1 - 2 * fraction) },
      }),
    },
  }
}
