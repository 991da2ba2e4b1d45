import { expect, test } from 'vitest'

import { denseMatrix } from './dense-matrix.js'
import { defineDiscreteProblem, rungeKuttaStep } from './discrete-problem.js'
import { solveDynamicProgram } from './dynamic-programming.js'
import { solveFiniteHorizonLqr } from './lqr.js'

const pendulum = defineDiscreteProblem({
  name: 'pendulum swing-up',
  states: ['angle', 'rate'],
  controls: ['torque'],
  steps: 30,
  next: rungeKuttaStep(
    ({ angle, rate }, { torque }) => ({
      angle: rate,
      rate: torque.minus(angle.sin().times(9.81)).minus(rate.times(0.1)),
    }),
    0.05,
  ),
  stageCost: (_x, { torque }) => torque.squared().times(0.05 * 0.05),
  terminalCost: ({ angle, rate }) => angle.minus(Math.PI).squared().plus(rate.squared()).times(50),
  initial: { angle: 0, rate: 0 },
})

test.each(['ddp', 'ilqr'] as const)('%s swings a pendulum up at the known cost', (method) => {
  const { status, cost, x, u, constraintViolation } = solveDynamicProgram(pendulum, { method })
  expect(status).toBe('solved')
  expect(cost / 4.0838399291353555).toBeCloseTo(1, 9)
  expect(u[0]).toBeCloseTo(7.345320446316392, 5)
  expect(u[29]).toBeCloseTo(-5.772967139925446, 5)
  expect(x[60]).toBeCloseTo(3.1178469380291554, 7)
  expect(constraintViolation).toBe(0)
})

test('second derivatives of the dynamics save iterations', () => {
  const count = (method: 'ddp' | 'ilqr'): number => solveDynamicProgram(pendulum, { method }).iterations
  expect(count('ddp')).toBeLessThan(count('ilqr'))
})

const cart = defineDiscreteProblem({
  name: 'double integrator',
  states: ['x', 'v'],
  controls: ['u'],
  steps: 20,
  next: ({ x, v }, { u }) => ({ x: x.plus(v.times(0.1)), v: v.plus(u.times(0.1)) }),
  stageCost: ({ x, v }, { u }) => x.squared().plus(v.squared()).plus(u.squared().times(0.1)),
  terminalCost: ({ x, v }) => x.squared().plus(v.squared()).times(5),
  initial: { x: 1, v: 0 },
})

test('on a linear problem it is the finite-horizon regulator, in one step', () => {
  const { K, P } = solveFiniteHorizonLqr({
    A: denseMatrix([
      [1, 0.1],
      [0, 1],
    ]),
    B: denseMatrix([[0], [0.1]]),
    Q: denseMatrix([
      [1, 0],
      [0, 1],
    ]),
    R: Float64Array.of(0.1),
    terminal: denseMatrix([
      [5, 0],
      [0, 5],
    ]),
    steps: 20,
  })
  const solution = solveDynamicProgram(cart)
  expect(solution.iterations).toBe(1)
  expect(solution.cost).toBeCloseTo(P[0]!, 12)
  solution.K.forEach((gain, i) => expect(gain).toBeCloseTo(-K[i]!, 11))
})

test('limits hold the controls, and the laws at a limit do not steer', () => {
  const { status, u, K, cost } = solveDynamicProgram({ ...cart, controlBounds: { u: { lower: -1, upper: 0.5 } } })
  expect(status).toBe('solved')
  expect(Math.min(...u)).toBe(-1)
  expect(Math.max(...u)).toBeLessThanOrEqual(0.5)
  expect([K[0], K[1]]).toEqual([0, 0])
  expect(cost).toBeGreaterThan(solveDynamicProgram(cart).cost)
  // A control that no limit holds leaves the cost flat.
  const free = u.findIndex((value) => value > -0.9 && value < 0.4)
  const nearby = (shift: number): number => costOf(u.map((value, i) => (i === free ? value + shift : value)))
  expect((nearby(1e-4) - nearby(-1e-4)) / 2e-4).toBeCloseTo(0, 6)
})

/** The cost of controls, added up by hand. */
function costOf(u: Float64Array): number {
  let [x, v, cost] = [1, 0, 0]
  for (const value of u) {
    cost += x * x + v * v + 0.1 * value * value
    ;[x, v] = [x + 0.1 * v, v + 0.1 * value]
  }
  return cost + 5 * (x * x + v * v)
}

test('iterations are reported, and a solve goes on from the controls of any of them', () => {
  const states: Float64Array[] = []
  const costs: number[] = []
  const whole = solveDynamicProgram(pendulum, {
    onIterate: ({ u, cost }) => {
      states.push(u)
      costs.push(cost)
    },
  })
  expect(costs).toHaveLength(whole.iterations + 1)
  expect([...costs].sort((a, b) => b - a)).toEqual(costs)
  const rest = solveDynamicProgram(pendulum, { initialControls: states.at(-2)! })
  expect(rest.iterations).toBeLessThan(3)
  expect(rest.cost).toBeCloseTo(whole.cost, 11)
})

test('what can not be solved is a status with a reason', () => {
  const cut = solveDynamicProgram(pendulum, { maxIterations: 2 })
  expect([cut.status, cut.iterations]).toEqual(['iterationLimit', 2])
  const gain = solveDynamicProgram({ ...cart, stageCost: (_x, { u }) => u!.squared().negated(), terminalCost: () => 0 })
  expect(gain.status).toBe('failed')
  expect(gain.message).toMatch(/no minimum by some control/)
  const far = solveDynamicProgram({ ...cart, next: ({ x, v }) => ({ x: x!.log(), v: v! }) }, {})
  expect(far.message).toMatch(/not finite/)
})

test('an aborted signal ends the solve with its reason', () => {
  const controller = new AbortController()
  const reason = new Error('enough')
  const solve = (): unknown =>
    solveDynamicProgram(pendulum, { signal: controller.signal, onIterate: () => controller.abort(reason) })
  expect(solve).toThrow(reason)
})

test.each([
  ['steps', { ...cart, steps: 0 }, /steps is 0/],
  ['a start', { ...cart, initial: { x: NaN, v: 0 } }, /initial.x is NaN/],
  ['bounds', { ...cart, controlBounds: { u: { lower: 1, upper: 0 } } }, /controlBounds.u is \[1, 0\]/],
])('malformed %s are refused by name', (_name, problem, reason) => {
  expect(() => solveDynamicProgram(problem)).toThrow(reason)
})

test('controls of another size are refused', () => {
  expect(() => solveDynamicProgram(cart, { initialControls: new Float64Array(3) })).toThrow(/initialControls has 3/)
})
