import { createRng } from '#libs/domain'
import { expect, test } from 'vitest'

import { denseMatrix } from './dense-matrix.js'
import { predictBelief, solveSteadyFilter, updateBelief, type Belief } from './kalman.js'
import { discretizeLinear, exponentiate } from './matrix-exponential.js'

const one = Float64Array.of(1)
const walk = { A: one, C: one, W: one, V: one }

test('the filter of a random walk settles at the golden ratio', () => {
  const golden = (1 + Math.sqrt(5)) / 2
  const steady = solveSteadyFilter(walk)
  expect(steady.prior[0]).toBeCloseTo(golden, 13)
  expect(steady.posterior[0]).toBeCloseTo(golden - 1, 13)
  expect(steady.gain[0]).toBeCloseTo(golden - 1, 13)
  let belief: Belief = { mean: Float64Array.of(0), covariance: Float64Array.of(100) }
  for (let k = 0; k < 40; k++) belief = updateBelief(walk, predictBelief(walk, belief), one)
  expect(belief.covariance[0]).toBeCloseTo(golden - 1, 13)
})

test('two measurements of a constant weigh as their precisions do', () => {
  const constant = { ...walk, W: Float64Array.of(0) }
  const prior = { mean: Float64Array.of(0), covariance: Float64Array.of(4) }
  const first = updateBelief(constant, prior, Float64Array.of(2))
  const second = updateBelief(constant, first, Float64Array.of(3))
  expect(second.mean[0]).toBeCloseTo((2 + 3) / (2 + 1 / 4), 14)
  expect(second.covariance[0]).toBeCloseTo(1 / (2 + 1 / 4), 14)
  expect(first.logLikelihood).toBeCloseTo(-0.5 * (4 / 5 + Math.log(2 * Math.PI * 5)), 14)
})

test('the errors of a tracker are as large as it says', () => {
  const { A, B, noise } = discretizeLinear(
    {
      A: denseMatrix([
        [0, 1],
        [0, 0],
      ]),
      B: denseMatrix([[0], [1]]),
      W: denseMatrix([
        [0, 0],
        [0, 0.1],
      ]),
    },
    0.5,
  )
  const system = { A, B, C: denseMatrix([[1, 0]]), W: noise, V: Float64Array.of(0.3) }
  const rng = createRng(7, 0)
  let belief: Belief = {
    mean: Float64Array.of(0, 0),
    covariance: denseMatrix([
      [1, 0],
      [0, 1],
    ]),
  }
  let x = Float64Array.of(rng.normal(), rng.normal())
  const factor = [
    Math.sqrt(noise[0]!),
    noise[1]! / Math.sqrt(noise[0]!),
    Math.sqrt(noise[3]! - noise[1]! ** 2 / noise[0]!),
  ]
  let distance = 0
  const steps = 4_000
  for (let k = 0; k < steps; k++) {
    const u = Math.sin(k / 10)
    const [w1, w2] = [rng.normal(), rng.normal()]
    x = Float64Array.of(
      A[0]! * x[0]! + A[1]! * x[1]! + B[0]! * u + factor[0]! * w1,
      A[2]! * x[0]! + A[3]! * x[1]! + B[1]! * u + factor[1]! * w1 + factor[2]! * w2,
    )
    const y = Float64Array.of(x[0]! + Math.sqrt(0.3) * rng.normal())
    belief = updateBelief(system, predictBelief(system, belief, Float64Array.of(u)), y)
    const [e1, e2] = [x[0]! - belief.mean[0]!, x[1]! - belief.mean[1]!]
    const [p11, p12, , p22] = belief.covariance as unknown as [number, number, number, number]
    distance += (p22 * e1 * e1 - 2 * p12 * e1 * e2 + p11 * e2 * e2) / (p11 * p22 - p12 * p12)
  }
  // Two degrees of freedom; the errors of neighbours are correlated, so the mean is allowed some tenths.
  expect(distance / steps).toBeGreaterThan(1.8)
  expect(distance / steps).toBeLessThan(2.2)
})

test('exp of a rotation and of a shift are what they are in closed form', () => {
  expect(
    exponentiate(
      denseMatrix([
        [0, 30],
        [-30, 0],
      ]),
    )[1],
  ).toBeCloseTo(Math.sin(30), 12)
  expect([
    ...exponentiate(
      denseMatrix([
        [0, 2],
        [0, 0],
      ]),
    ),
  ]).toEqual([1, 2, 0, 1])
  expect(exponentiate(Float64Array.of(-50))[0]! / Math.exp(-50)).toBeCloseTo(1, 12)
})

test('a double integrator held over a step', () => {
  const { A, B, noise } = discretizeLinear(
    {
      A: denseMatrix([
        [0, 1],
        [0, 0],
      ]),
      B: denseMatrix([[0], [1]]),
      W: denseMatrix([
        [0, 0],
        [0, 3],
      ]),
    },
    0.2,
  )
  expect([...A]).toEqual([1, 0.2, 0, 1])
  expect(B[0]).toBeCloseTo(0.02, 15)
  expect(B[1]).toBeCloseTo(0.2, 15)
  expect(noise[0]).toBeCloseTo(0.008, 15)
  expect(noise[1]).toBeCloseTo(0.06, 15)
  expect(noise[3]).toBeCloseTo(0.6, 15)
})

test.each([
  [
    'noise-free measurements of what is known',
    () => updateBelief({ ...walk, V: Float64Array.of(0) }, { mean: one, covariance: Float64Array.of(0) }, one),
    /is singular/,
  ],
  [
    'a measurement of another size',
    () => updateBelief(walk, { mean: one, covariance: one }, Float64Array.of(1, 2)),
    /measurement has 2 values/,
  ],
  [
    'a growing mode that is not seen',
    () => solveSteadyFilter({ ...walk, A: Float64Array.of(2), C: Float64Array.of(0) }),
    /no stabilising solution/,
  ],
  ['a step backwards', () => discretizeLinear({ A: one, B: one }, -1), /step is -1/],
  ['a matrix that is not square', () => exponentiate(Float64Array.of(1, 2)), /A has 2 values/],
  ['rows of different lengths', () => denseMatrix([[1, 2], [3]]), /row 1 has 1 values/],
])('%s: refused with the reason', (_name, run, reason) => {
  expect(run).toThrow(reason)
})
