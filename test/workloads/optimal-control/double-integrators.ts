import { defineProblem } from 'costate/control'

import type { ControlCase } from './control-case.js'

/** Rest to rest over a distance with the least effort, min ½∫u² dt. */
export function leastEffort(distance: number, horizon: number): ControlCase {
  return {
    problem: defineProblem({
      name: 'least effort',
      states: ['x1', 'x2'],
      controls: ['u'],
      horizon,
      dynamics: ({ x2 }, { u }) => ({ x1: x2, x2: u }),
      runningCost: (_x, { u }) => u.squared().times(0.5),
      initial: { x1: 0, x2: 0 },
      final: { x1: distance, x2: 0 },
    }),
    options: { intervals: 20, tolerance: 1e-10 },
  }
}

/** Rest to rest over a distance in the least time, mass · x'' = u, |u| ≤ most. */
export function leastTime(distance: number, most: number, mass = 1): ControlCase {
  return {
    problem: defineProblem({
      name: 'least time',
      states: ['x1', 'x2'],
      controls: ['u'],
      horizon: { guess: 1 },
      dynamics: ({ x2 }, { u }) => ({ x1: x2, x2: u.dividedBy(mass) }),
      terminalCost: (_x, horizon) => horizon,
      controlBounds: { u: { lower: -most, upper: most } },
      initial: { x1: 0, x2: 0 },
      final: { x1: distance, x2: 0 },
    }),
    options: { intervals: 40, method: 'interiorPoint' },
  }
}

/** Fuller's problem: its control switches ever faster. */
export function fuller(): ControlCase {
  return {
    problem: defineProblem({
      name: 'Fuller',
      states: ['x1', 'x2'],
      controls: ['u'],
      horizon: 3.5,
      dynamics: ({ x2 }, { u }) => ({ x1: x2, x2: u }),
      runningCost: ({ x1 }) => x1.squared(),
      controlBounds: { u: { lower: -1, upper: 1 } },
      initial: { x1: 0, x2: 1 },
      final: { x1: 0, x2: 0 },
    }),
    options: { intervals: 200, method: 'interiorPoint' },
  }
}

/** A damped integrator below a bound that moves with time, on its speed or on its position (Goh & Teo). */
export function belowMovingBound(which: 'x1' | 'x2'): ControlCase {
  return {
    problem: defineProblem({
      name: `below a moving bound on ${which}`,
      states: ['x1', 'x2'],
      controls: ['u'],
      horizon: 1,
      dynamics: ({ x2 }, { u }) => ({ x1: x2, x2: u.minus(x2) }),
      runningCost: ({ x1, x2 }, { u }) => x1.squared().plus(x2.squared()).plus(u.squared().times(0.005)),
      controlBounds: { u: { lower: -20, upper: 20 } },
      initial: { x1: 0, x2: -1 },
      pathConstraints: (x, _u, t) => ({
        ceiling: { value: x[which].minus(t.minus(0.5).squared().times(8)), upper: -0.5 },
      }),
    }),
    options: { intervals: 200, method: 'interiorPoint' },
  }
}

/** The hyper-sensitive problem of Rao & Mease: all happens within a few units of time at both ends of ten thousand. */
export function hypersensitive(): ControlCase {
  const half = 120
  const growth = 11
  // Lengths of intervals that grow geometrically from both ends to the middle.
  const grow = (k: number): number => Math.expm1((growth * k) / half) / Math.expm1(growth) / 2
  const mesh = Float64Array.from({ length: 2 * half + 1 }, (_, k) => (k <= half ? grow(k) : 1 - grow(2 * half - k)))
  return {
    problem: defineProblem({
      name: 'hyper-sensitive',
      states: ['x'],
      controls: ['u'],
      horizon: 10_000,
      dynamics: ({ x }, { u }) => ({ x: u.minus(x.power(3)) }),
      runningCost: ({ x }, { u }) => x.squared().plus(u.squared()).times(0.5),
      initial: { x: 1.5 },
      final: { x: 1 },
    }),
    options: { intervals: 2 * half, mesh, method: 'interiorPoint', initialGuess: () => ({ x: { x: 0 } }) },
  }
}
