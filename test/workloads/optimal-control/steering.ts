import { defineProblem } from 'costate/control'

import type { ControlCase } from './control-case.js'

/** The fastest fall from rest between two points of a vertical plane, y upwards. */
export function brachistochrone(from: readonly [x: number, y: number], to: readonly [x: number, y: number], g: number): ControlCase {
  return {
    problem: defineProblem({
      name: 'brachistochrone',
      states: ['x', 'y', 'speed'],
      controls: ['angle'],
      horizon: { guess: 1 },
      dynamics: ({ speed }, { angle }) => ({
        x: speed.times(angle.sin()),
        y: speed.times(angle.cos()).negated(),
        speed: angle.cos().times(g),
      }),
      terminalCost: (_x, horizon) => horizon,
      controlBounds: { angle: { lower: 0.01, upper: 3.1 } },
      initial: { x: from[0], y: from[1], speed: 0 },
      final: { x: to[0], y: to[1] },
    }),
    options: {
      intervals: 60,
      method: 'interiorPoint',
      initialGuess: (fraction) => ({ x: { speed: 5 * fraction }, u: { angle: 0.1 + 1.6 * fraction } }),
    },
  }
}

/** As far as a constant thrust in a constant gravity goes in two units of time (Bryson). */
export function bryson(): ControlCase {
  return {
    problem: defineProblem({
      name: 'Bryson, maximum range',
      states: ['x', 'y', 'speed'],
      controls: ['angle'],
      horizon: 2,
      dynamics: ({ speed }, { angle }) => ({
        x: speed.times(angle.cos()),
        y: speed.times(angle.sin()),
        speed: angle.sin().negated().plus(0.5),
      }),
      terminalCost: ({ x }) => x.negated(),
      initial: { x: 0, y: 0, speed: 0 },
      final: { y: 0.1 },
    }),
    options: {
      intervals: 100,
      method: 'interiorPoint',
      initialGuess: (fraction) => ({ x: { x: 1.7 * fraction, speed: fraction }, u: { angle: -1.5 + 2.5 * fraction } }),
    },
  }
}

/** A particle under a constant acceleration of free direction, to a height at a speed in the least time (COPS 3.0). */
export function linearTangent(): ControlCase {
  return {
    problem: defineProblem({
      name: 'linear tangent steering',
      states: ['x', 'vx', 'y', 'vy'],
      controls: ['angle'],
      horizon: { guess: 1 },
      dynamics: ({ vx, vy }, { angle }) => ({
        x: vx,
        vx: angle.cos().times(100),
        y: vy,
        vy: angle.sin().times(100),
      }),
      terminalCost: (_x, horizon) => horizon,
      controlBounds: { angle: { lower: -Math.PI / 2, upper: Math.PI / 2 } },
      initial: { x: 0, vx: 0, y: 0, vy: 0 },
      final: { vx: 45, y: 5, vy: 0 },
    }),
    options: {
      intervals: 60,
      method: 'interiorPoint',
      initialGuess: (fraction) => ({ x: { x: 12 * fraction }, u: { angle: 0.5 - fraction } }),
    },
  }
}

/** A ship of unit speed in a current that grows with the distance from the shore, to the origin (Bryson & Ho, section 2.7). */
export function zermelo(): ControlCase {
  return {
    problem: defineProblem({
      name: 'Zermelo in a shear current',
      states: ['x', 'y'],
      controls: ['heading'],
      horizon: { guess: 5 },
      dynamics: ({ y }, { heading }) => ({ x: heading.cos().minus(y), y: heading.sin() }),
      terminalCost: (_x, horizon) => horizon,
      initial: { x: 3.66, y: -1.86 },
      final: { x: 0, y: 0 },
    }),
    options: {
      intervals: 60,
      method: 'interiorPoint',
      initialGuess: (fraction) => ({
        x: { y: -1.86 + 3.5 * fraction * (1 - fraction) + 1.86 * fraction },
        u: { heading: 1.8 + 2 * fraction },
      }),
    },
  }
}
