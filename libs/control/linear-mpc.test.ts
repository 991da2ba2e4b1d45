import { expect, test } from 'vitest'

import { denseMatrix } from './dense-matrix.js'
import { createLinearMpc } from './linear-mpc.js'
import { solveFiniteHorizonLqr } from './lqr.js'
import { solveDiscreteRiccati } from './riccati.js'

/** The example of Bemporad, Morari, Dua & Pistikopoulos, Automatica 38 (2002) 3. */
const plant = {
  A: denseMatrix([
    [0.7326, -0.0861],
    [0.1722, 0.9909],
  ]),
  B: denseMatrix([[0.0609], [0.0064]]),
  Q: denseMatrix([
    [1, 0],
    [0, 1],
  ]),
  R: Float64Array.of(0.01),
}
const terminal = denseMatrix([
  [3.048543893706083, -2.50545756088137],
  [-2.50545756088137, 12.991562408938924],
])
const limits = { controlLower: Float64Array.of(-2), controlUpper: Float64Array.of(2) }

test('the published gain, where no bound is met', () => {
  const { K } = solveFiniteHorizonLqr({ ...plant, terminal, steps: 2 })
  expect(K[0]! / 5.922).toBeCloseTo(1, 3)
  expect(Math.abs(K[1]! / 6.8883 - 1)).toBeLessThan(1e-3)
  const { u } = createLinearMpc({ ...plant, ...limits, terminal, horizon: 2 }).plan(Float64Array.of(0.01, 0.02))
  expect(u[0]).toBeCloseTo(-(K[0]! * 0.01 + K[1]! * 0.02), 10)
})

test('the closed loop from (1, 1) ends in the published states', () => {
  const mpc = createLinearMpc({ ...plant, ...limits, terminal, horizon: 2 })
  expect(mpc.plan(Float64Array.of(1, 1)).cost).toBeCloseTo(21.719666814195936, 8)
  let x: Float64Array = Float64Array.of(1, 1)
  const controls: number[] = []
  for (let k = 0; k < 40; k++) {
    const plan = mpc.plan(x)
    controls.push(plan.u[0]!)
    x = plan.states.slice(0, 2)
  }
  expect(controls.slice(0, 6)).toEqual(Array(6).fill(expect.closeTo(-2, 9)))
  expect(controls[6]).toBeCloseTo(-1.8579946917300114, 8)
  expect(x[0]).toBeCloseTo(-0.0006402061978662221, 9)
})

test('a long horizon with the Riccati cost at its end is the regulator without end', () => {
  const { X, K } = solveDiscreteRiccati(plant)
  const { u, cost } = createLinearMpc({ ...plant, terminal: X, horizon: 8 }).plan(Float64Array.of(1, -2))
  expect(u[0]).toBeCloseTo(-(K[0]! - 2 * K[1]!), 8)
  expect(cost).toBeCloseTo(X[0]! - 4 * X[1]! + 4 * X[3]!, 8)
})

test('bounds on states are kept, and what can not be kept is named with its step and size', () => {
  const cart = {
    A: denseMatrix([
      [1, 0.1],
      [0, 1],
    ]),
    B: denseMatrix([[0.005], [0.1]]),
    Q: denseMatrix([
      [1, 0],
      [0, 0.1],
    ]),
    R: Float64Array.of(0.01),
    ...{ controlLower: Float64Array.of(-1), controlUpper: Float64Array.of(1) },
    ...{ stateLower: Float64Array.of(-10, -0.3), stateUpper: Float64Array.of(10, 0.3) },
    horizon: 15,
  }
  const mpc = createLinearMpc(cart)
  const { states } = mpc.plan(Float64Array.of(1, 0))
  const speeds = [...states].filter((_, i) => i % 2 === 1)
  expect(Math.min(...speeds)).toBeCloseTo(-0.3, 7)
  expect(() => mpc.plan(Float64Array.of(1, 0.5))).toThrow(/infeasible: .* keep state 1 after step 0; it misses by 0\.1/)
})

test.each([
  ['horizon', () => createLinearMpc({ ...plant, horizon: 0 }), /horizon is 0/],
  [
    'bounds of another size',
    () => createLinearMpc({ ...plant, horizon: 2, stateLower: Float64Array.of(1) }),
    /stateLower has 1/,
  ],
  [
    'bounds that cross',
    () => createLinearMpc({ ...plant, horizon: 2, controlLower: Float64Array.of(3), controlUpper: Float64Array.of(2) }),
    /bounds of control 0/,
  ],
  [
    'a state of another size',
    () => createLinearMpc({ ...plant, horizon: 2 }).plan(Float64Array.of(1)),
    /x has 1 values/,
  ],
])('%s: refused', (_name, run, reason) => {
  expect(run).toThrow(reason)
})
