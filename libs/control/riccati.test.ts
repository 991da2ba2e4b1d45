import { expect, test } from 'vitest'

import { denseMatrix } from './dense-matrix.js'
import { solveContinuousLyapunov, solveDiscreteLyapunov } from './lyapunov.js'
import { solveFiniteHorizonLqr } from './lqr.js'
import { solveContinuousRiccati, solveDiscreteRiccati } from './riccati.js'

const doubleIntegrator = {
  A: denseMatrix([
    [0, 1],
    [0, 0],
  ]),
  B: denseMatrix([[0], [1]]),
}
const one = Float64Array.of(1)

function expectClose(got: Float64Array, wanted: readonly number[], digits = 9): void {
  expect(got.length).toBe(wanted.length)
  const size = Math.max(...wanted.map(Math.abs))
  got.forEach((value, i) => expect(value / size).toBeCloseTo(wanted[i]! / size, digits))
}

test.each([
  [
    '1.1',
    doubleIntegrator,
    [
      [1, 0],
      [0, 2],
    ],
    [2, 1, 1, 2],
  ],
  [
    '1.2',
    {
      A: denseMatrix([
        [4, 3],
        [-4.5, -3.5],
      ]),
      B: denseMatrix([[1], [-1]]),
    },
    [
      [9, 6],
      [6, 4],
    ],
    [9, 6, 6, 4].map((value) => value * (1 + Math.SQRT2)),
  ],
  [
    '2.3 with 1000',
    {
      A: denseMatrix([
        [0, 1e-3],
        [0, 0],
      ]),
      B: denseMatrix([[0], [1]]),
    },
    [
      [1, 0],
      [0, 1],
    ],
    [...[1000.9995004993759, 1, 1, 1.000999500499376]],
  ],
])('continuous: CAREX %s (Benner, Laub & Mehrmann 1995)', (_name, system, Q, X) => {
  const solution = solveContinuousRiccati({ ...system, Q: denseMatrix(Q), R: one })
  expectClose(solution.X, X)
  expect(solution.residual).toBeLessThan(1e-12)
  expect(solution.eigenvalues.every(({ real }) => real < 0)).toBe(true)
})

test('continuous: the gain of a double integrator is (√(q/r), √(2√(q/r)))', () => {
  const { K } = solveContinuousRiccati({
    ...doubleIntegrator,
    Q: denseMatrix([
      [100, 0],
      [0, 0],
    ]),
    R: Float64Array.of(0.01),
  })
  expectClose(K, [100, Math.sqrt(200)])
})

test.each([
  [
    '1.1, where R is singular',
    [
      [2, -1],
      [1, 0],
    ],
    [[1], [0]],
    [
      [0, 0],
      [0, 1],
    ],
    0,
    [1, 0, 0, 1],
  ],
  [
    '1.3',
    [
      [0, 1],
      [0, 0],
    ],
    [[0], [1]],
    [
      [1, 2],
      [2, 4],
    ],
    1,
    [1, 2, 2, 2 + Math.sqrt(5)],
  ],
  [
    '2.1',
    [
      [4, 3],
      [-4.5, -3.5],
    ],
    [[1], [-1]],
    [
      [9, 6],
      [6, 4],
    ],
    1,
    [9, 6, 6, 4].map((x) => (x * (1 + Math.sqrt(5))) / 2),
  ],
])('discrete: DAREX %s (Benner, Laub & Mehrmann 1995)', (_name, A, B, Q, r, X) => {
  const system = { A: denseMatrix(A), B: denseMatrix(B), Q: denseMatrix(Q), R: Float64Array.of(r) }
  expectClose(solveDiscreteRiccati(system).X, X)
})

test('discrete: DAREX 4.1, a shift of a hundred states, has the diagonal 1 … 100', () => {
  const n = 100
  const A = new Float64Array(n * n)
  const Q = new Float64Array(n * n)
  for (let i = 0; i < n; i++) {
    Q[i * n + i] = 1
    if (i + 1 < n) A[i * n + i + 1] = 1
  }
  const B = new Float64Array(n)
  B[n - 1] = 1
  const { X } = solveDiscreteRiccati({ A, B, Q, R: one })
  expectClose(
    X,
    Array.from({ length: n * n }, (_, at) => (at % (n + 1) === 0 ? at / (n + 1) + 1 : 0)),
  )
})

test('over a finite horizon the costs are ratios of Fibonacci numbers', () => {
  const scalar = { A: one, B: one, Q: one, R: one }
  const { P, K } = solveFiniteHorizonLqr({ ...scalar, steps: 10 })
  expectClose(P, [6765 / 4181, 2584 / 1597, 987 / 610, 377 / 233, 144 / 89, 55 / 34, 21 / 13, 8 / 5, 3 / 2, 1, 0], 15)
  expect(K[9]).toBe(0)
  expect(solveDiscreteRiccati(scalar).X[0]).toBeCloseTo((1 + Math.sqrt(5)) / 2, 14)
})

test('Lyapunov equations: the stationary spread of a damped oscillator, and a geometric series', () => {
  // A X + X Aᵀ + W = 0 with x'' = -2 x - 0.6 x' + noise: X = diag(w / (2 · 0.6 · 2), w / (2 · 0.6)).
  const transposed = denseMatrix([
    [0, -2],
    [1, -0.6],
  ])
  expectClose(
    solveContinuousLyapunov(
      transposed,
      denseMatrix([
        [0, 0],
        [0, 0.49],
      ]),
    ),
    [0.49 / 2.4, 0, 0, 0.49 / 1.2],
    14,
  )
  expectClose(solveDiscreteLyapunov(Float64Array.of(0.5), one), [4 / 3], 14)
})

test.each([
  [
    'a growing mode that no input reaches',
    () =>
      solveContinuousRiccati({
        A: denseMatrix([
          [1, 0],
          [0, -1],
        ]),
        B: denseMatrix([[0], [1]]),
        Q: denseMatrix([
          [1, 0],
          [0, 1],
        ]),
        R: one,
      }),
    /continuous Riccati equation has no stabilising solution: the mode 1.000 of A is not stable and no input/,
  ],
  [
    'a mode on the imaginary axis that no weight sees',
    () =>
      solveContinuousRiccati({
        ...doubleIntegrator,
        Q: denseMatrix([
          [0, 0],
          [0, 0],
        ]),
        R: one,
      }),
    /lies on the imaginary axis and no weight in Q sees it/,
  ],
  [
    'an oscillation that no input reaches',
    () =>
      solveDiscreteRiccati({
        A: denseMatrix([
          [0, 2],
          [-2, 0],
        ]),
        B: denseMatrix([[0], [0]]),
        Q: denseMatrix([
          [1, 0],
          [0, 1],
        ]),
        R: one,
      }),
    /the mode .*2.000i of A is not stable and no input/,
  ],
  [
    'a control without a weight',
    () =>
      solveContinuousRiccati({
        ...doubleIntegrator,
        Q: denseMatrix([
          [1, 0],
          [0, 1],
        ]),
        R: Float64Array.of(0),
      }),
    /R is singular/,
  ],
  [
    'weights that are not symmetric',
    () =>
      solveContinuousRiccati({
        ...doubleIntegrator,
        Q: denseMatrix([
          [1, 1],
          [0, 1],
        ]),
        R: one,
      }),
    /Q is not symmetric/,
  ],
  [
    'a shape that does not fit',
    () =>
      solveDiscreteRiccati({
        ...doubleIntegrator,
        B: one,
        Q: denseMatrix([
          [1, 0],
          [0, 1],
        ]),
        R: one,
      }),
    /B has 1 values/,
  ],
  [
    'a value that is no number',
    () => solveDiscreteRiccati({ A: Float64Array.of(NaN), B: one, Q: one, R: one }),
    /A\[0\] is NaN/,
  ],
  [
    'a step without cost or effect',
    () => solveFiniteHorizonLqr({ A: one, B: one, Q: one, R: Float64Array.of(0), steps: 2 }),
    /singular at step 1/,
  ],
  ['no steps', () => solveFiniteHorizonLqr({ A: one, B: one, Q: one, R: one, steps: 0 }), /steps is 0/],
  ['an unstable Lyapunov equation', () => solveContinuousLyapunov(one, one), /it must be stable/],
  ['an unstable discrete one', () => solveDiscreteLyapunov(Float64Array.of(1.1), one), /it must be stable/],
])('%s is refused with its reason', (_name, solve, reason) => {
  expect(solve).toThrow(reason)
})
