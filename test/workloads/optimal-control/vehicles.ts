import { defineProblem } from 'costate/control'

import type { ControlCase } from './control-case.js'

/** As high as a rocket gets (COPS 3.0; Goddard 1919). */
export function goddard(): ControlCase {
  return {
    problem: defineProblem({
      name: 'Goddard rocket',
      states: ['height', 'speed', 'mass'],
      controls: ['thrust'],
      horizon: { guess: 0.2, lower: 0.01, upper: 1 },
      dynamics: ({ height, speed, mass }, { thrust }) => {
        const drag = speed.squared().times(310).times(height.minus(1).times(-500).exp())
        return {
          height: speed,
          speed: thrust.minus(drag).dividedBy(mass).minus(height.power(-2)),
          mass: thrust.times(-2),
        }
      },
      terminalCost: ({ height }) => height.negated(),
      stateBounds: { height: { lower: 1 }, speed: { lower: 0 }, mass: { lower: 0.6, upper: 1 } },
      controlBounds: { thrust: { lower: 0, upper: 3.5 } },
      initial: { height: 1, speed: 0, mass: 1 },
      final: { mass: 0.6 },
    }),
    options: {
      intervals: 200,
      method: 'interiorPoint',
      initialGuess: (fraction) => ({
        x: { height: 1 + 0.01 * fraction, speed: 0.1 * fraction * (1 - fraction) * 4 },
        u: { thrust: 3.5 * (1 - fraction) },
      }),
    },
  }
}

/** The longest glide from a height through an upwind (COPS 3.0). Distances in km, speeds in 10 m/s, time in 100 s. */
export function hangGlider(): ControlCase {
  const [area, mass, rho, g] = [14, 100, 1.13, 9.81]
  return {
    problem: defineProblem({
      name: 'hang glider',
      states: ['x', 'y', 'vx', 'vy'],
      controls: ['lift'],
      horizon: { guess: 1, lower: 0.1, upper: 3 },
      dynamics: ({ x, vx: vx10, vy: vy10 }, { lift }) => {
        const [vx, vy] = [vx10.times(10), vy10.times(10)]
        const r = x.times(10).minus(2.5).squared()
        const updraft = r.negated().plus(1).times(2.5).times(r.negated().exp())
        const w = vy.minus(updraft)
        const v = vx.squared().plus(w.squared()).sqrt()
        const pressure = v.squared().times(0.5 * rho * area)
        const drag = lift.squared().times(0.069662).plus(0.034).times(pressure)
        const force = lift.times(pressure)
        const perMass = v.times(mass)
        return {
          x: vx.times(0.1),
          y: vy.times(0.1),
          vx: force.times(w).plus(drag.times(vx)).negated().dividedBy(perMass).times(10),
          vy: force.times(vx).minus(drag.times(w)).dividedBy(perMass).minus(g).times(10),
        }
      },
      terminalCost: ({ x }) => x.negated(),
      stateBounds: { x: { lower: 0 }, vx: { lower: 0 } },
      controlBounds: { lift: { lower: 0, upper: 1.4 } },
      initial: { x: 0, y: 1, vx: 1.323, vy: -0.1288 },
      final: { y: 0.9, vx: 1.323, vy: -0.1288 },
    }),
    options: {
      intervals: 200,
      method: 'interiorPoint',
      maxIterations: 500,
      initialGuess: (fraction) => ({ x: { x: 1.2 * fraction }, u: { lift: 0.7 } }),
    },
  }
}

/** A soft landing on the moon with the least fuel (Meditch). */
export function moonLander(): ControlCase {
  return {
    problem: defineProblem({
      name: 'moon lander',
      states: ['height', 'speed', 'mass'],
      controls: ['thrust'],
      horizon: { guess: 1.5, lower: 0.1, upper: 5 },
      dynamics: ({ speed, mass }, { thrust }) => ({
        height: speed,
        speed: thrust.dividedBy(mass).minus(1),
        mass: thrust.dividedBy(-2.349),
      }),
      runningCost: (_x, { thrust }) => thrust,
      stateBounds: { mass: { lower: 0.1 } },
      controlBounds: { thrust: { lower: 0, upper: 1.227 } },
      initial: { height: 1, speed: -0.783, mass: 1 },
      final: { height: 0, speed: 0 },
    }),
    options: {
      intervals: 100,
      method: 'interiorPoint',
      refinement: { tolerance: 1e-6, rounds: 4 },
      initialGuess: (fraction) => ({ x: { mass: 1 - 0.6 * fraction }, u: { thrust: 1 } }),
    },
  }
}

/** A robot arm turned and drawn in by bounded forces in the least time (COPS 3.0). */
export function robotArm(): ControlCase {
  return {
    problem: defineProblem({
      name: 'robot arm',
      states: ['rho', 'theta', 'phi', 'rhoRate', 'thetaRate', 'phiRate'],
      controls: ['u1', 'u2', 'u3'],
      horizon: { guess: 9, lower: 1, upper: 30 },
      dynamics: ({ rho, phi, rhoRate, thetaRate, phiRate }, { u1, u2, u3 }) => {
        const inertia = rho.negated().plus(5).power(3).plus(rho.power(3)).dividedBy(3)
        return {
          rho: rhoRate,
          theta: thetaRate,
          phi: phiRate,
          rhoRate: u1.dividedBy(5),
          thetaRate: u2.dividedBy(inertia.times(phi.sin().squared())),
          phiRate: u3.dividedBy(inertia),
        }
      },
      terminalCost: (_x, horizon) => horizon,
      stateBounds: {
        rho: { lower: 0, upper: 5 },
        theta: { lower: -Math.PI, upper: Math.PI },
        phi: { lower: 0, upper: Math.PI },
      },
      controlBounds: { u1: { lower: -1, upper: 1 }, u2: { lower: -1, upper: 1 }, u3: { lower: -1, upper: 1 } },
      initial: { rho: 4.5, theta: 0, phi: Math.PI / 4, rhoRate: 0, thetaRate: 0, phiRate: 0 },
      final: { rho: 4.5, theta: (2 * Math.PI) / 3, phi: Math.PI / 4, rhoRate: 0, thetaRate: 0, phiRate: 0 },
    }),
    options: { intervals: 100, method: 'interiorPoint' },
  }
}

/** A cart pushed so that its pole swings up (Kelly 2017). */
export function cartPole(): ControlCase {
  const [m1, m2, l, g] = [1, 0.3, 0.5, 9.81]
  return {
    problem: defineProblem({
      name: 'cart-pole swing-up',
      states: ['q1', 'q2', 'v1', 'v2'],
      controls: ['force'],
      horizon: 2,
      dynamics: ({ q2, v1, v2 }, { force }) => {
        const [sin, cos] = [q2.sin(), q2.cos()]
        const mass = sin.squared().times(m2).plus(m1)
        const swing = sin.times(v2.squared()).times(l * m2)
        return {
          q1: v1,
          q2: v2,
          v1: swing.plus(force).plus(sin.times(cos).times(m2 * g)).dividedBy(mass),
          v2: swing.times(cos).plus(force.times(cos)).plus(sin.times((m1 + m2) * g)).dividedBy(mass.times(-l)),
        }
      },
      runningCost: (_x, { force }) => force.squared(),
      stateBounds: { q1: { lower: -2, upper: 2 } },
      controlBounds: { force: { lower: -20, upper: 20 } },
      initial: { q1: 0, q2: 0, v1: 0, v2: 0 },
      final: { q1: 1, q2: Math.PI, v1: 0, v2: 0 },
    }),
    options: { intervals: 60, method: 'interiorPoint' },
  }
}

/** A quadrotor in a plane, rest to rest with thrusts near those of hovering. */
export function quadrotor(): ControlCase {
  const hover = 9.81 / 2
  return {
    problem: defineProblem({
      name: 'planar quadrotor',
      states: ['x', 'y', 'tilt', 'vx', 'vy', 'spin'],
      controls: ['u1', 'u2'],
      horizon: 2,
      dynamics: ({ tilt, vx, vy, spin }, { u1, u2 }) => ({
        x: vx,
        y: vy,
        tilt: spin,
        vx: u1.plus(u2).times(tilt.sin()).negated(),
        vy: u1.plus(u2).times(tilt.cos()).minus(9.81),
        spin: u1.minus(u2).times(10),
      }),
      runningCost: (_x, { u1, u2 }) => u1.minus(hover).squared().plus(u2.minus(hover).squared()),
      controlBounds: { u1: { lower: 0, upper: 10 }, u2: { lower: 0, upper: 10 } },
      initial: { x: 0, y: 0, tilt: 0, vx: 0, vy: 0, spin: 0 },
      final: { x: 2, y: 1, tilt: 0, vx: 0, vy: 0, spin: 0 },
    }),
    options: { intervals: 60, method: 'interiorPoint', initialGuess: () => ({ u: { u1: hover, u2: hover } }) },
  }
}
