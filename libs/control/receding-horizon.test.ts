import { expect, test } from 'vitest'

import { createRungeKutta4 } from './integration.js'
import { defineProblem } from './problem.js'
import { createRecedingHorizon } from './receding-horizon.js'

const pendulum = defineProblem({
  name: 'pendulum upright',
  states: ['angle', 'rate'],
  controls: ['torque'],
  horizon: 1.5,
  dynamics: ({ angle, rate }, { torque }) => ({ angle: rate, rate: torque.plus(angle.sin().times(9.81)) }),
  runningCost: ({ angle, rate }, { torque }) =>
    angle.squared().times(10).plus(rate.squared()).plus(torque.squared().times(0.1)),
  controlBounds: { torque: { lower: -8, upper: 8 } },
  initial: { angle: 0, rate: 0 },
})

test('a pendulum is caught and held upright, with fewer iterations once there is a plan', () => {
  const controller = createRecedingHorizon(pendulum, { intervals: 30, period: 0.1 })
  const step = createRungeKutta4((_t, x, out) => {
    out[0] = x[1]!
    out[1] = u + 9.81 * Math.sin(x[0]!)
  }, 2)
  let u = 0
  let x = Float64Array.of(0.6, 0)
  const iterations: number[] = []
  for (let k = 0; k < 40; k++) {
    const { plan, ...planned } = controller.next(x)
    u = planned.u[0]!
    iterations.push(plan.iterations)
    expect(Math.abs(u)).toBeLessThanOrEqual(8)
    const after = new Float64Array(2)
    step(0, x, 0.1, after)
    x = after
  }
  expect(Math.hypot(x[0]!, x[1]!)).toBeLessThan(1e-3)
  expect(Math.max(...iterations.slice(20))).toBeLessThanOrEqual(iterations[0]!)
})

test('the plan is followed between measurements, and its end is held', () => {
  const step = createRecedingHorizon(pendulum, { intervals: 20, period: 0.1 }).next(Float64Array.of(0.3, 0))
  expect(step.controlAt(0)).toEqual(step.u)
  expect(step.controlAt(99)[0]).toBe(step.plan.u.at(-1))
})

test('a state from which there is no plan is told with the constraint that is missed', () => {
  const held = { ...pendulum, final: { angle: 0, rate: 0 }, controlBounds: { torque: { lower: -1, upper: 1 } } }
  const controller = createRecedingHorizon(held, { intervals: 20, period: 0.1 })
  expect(() => controller.next(Float64Array.of(1.5, 2))).toThrow(
    /no plan from x = \[1.5, 2\]: infeasible: .*is missed by/,
  )
})

test.each([
  [
    'a period longer than the horizon',
    () => createRecedingHorizon(pendulum, { intervals: 20, period: 2 }),
    /period is 2/,
  ],
  [
    'a free horizon',
    () => createRecedingHorizon({ ...pendulum, horizon: { guess: 1 } }, { intervals: 20, period: 1 }),
    /horizon is free/,
  ],
  [
    'a state of another size',
    () => createRecedingHorizon(pendulum, { intervals: 20, period: 1 }).next(new Float64Array(3)),
    /x has 3/,
  ],
])('%s is refused', (_name, run, reason) => {
  expect(run).toThrow(reason)
})
