import { expect, test } from 'vitest'

import { solveOptimalControl, type SolveOptions } from './optimal-control.js'
import { defineProblem } from './problem.js'
import { rayleigh } from './problems/rayleigh.js'
import { vanDerPol } from './problems/van-der-pol.js'
import type { Guess, GuessFunction } from './trajectory.js'

/** Rest to rest over a distance in the least time: T = 2 √(distance / force), one switch in the middle. */
const leastTime = defineProblem({
  name: 'least time',
  states: ['x', 'v'],
  controls: ['u'],
  horizon: { guess: 1 },
  dynamics: ({ v }, { u }) => ({ x: v, v: u }),
  terminalCost: (_x, horizon) => horizon,
  controlBounds: { u: { lower: -0.5, upper: 0.5 } },
  initial: { x: 0, v: 0 },
  final: { x: 9, v: 0 },
})
const interior: SolveOptions = { intervals: 40, method: 'interiorPoint' }

test('a free horizon: the least time and its costate', () => {
  const { status, horizon, objective, t, u, costates } = solveOptimalControl(leastTime, interior)
  expect(status).toBe('solved')
  expect(horizon / Math.sqrt(72)).toBeCloseTo(1, 5)
  expect(objective).toBe(horizon)
  expect(t[t.length - 1]).toBe(horizon)
  expect([u[0], u[u.length - 1]]).toEqual([expect.closeTo(0.5, 5), expect.closeTo(-0.5, 5)])
  // dT/dx(0) = -1 / √(9 · 0.5).
  expect(costates[0]).toBeCloseTo(-1 / Math.sqrt(4.5), 3)
})

test('a horizon stays within its ends', () => {
  const { status, horizon } = solveOptimalControl({ ...leastTime, horizon: { guess: 12, lower: 10 } }, interior)
  expect([status, horizon]).toEqual(['solved', expect.closeTo(10, 6)])
})

test('a mixed path constraint: case B of Rayleigh (Maurer & Augustin 2001: 44.8044)', () => {
  const { problem } = rayleigh()
  const { objective, x, u } = solveOptimalControl(
    {
      ...problem,
      horizon: 4.5,
      pathConstraints: ({ x1 }, { u: force }) => ({ mixed: { value: force!.plus(x1!.dividedBy(6)), upper: 0 } }),
    },
    { intervals: 160, method: 'interiorPoint' },
  )
  expect(objective / 44.804445).toBeCloseTo(1, 5)
  expect(Math.max(...u.map((force, node) => force + x[2 * node]! / 6))).toBeLessThan(1e-7)
})

test('a bound on a state that moves with time (Goh & Teo: 0.1698205)', () => {
  const below = defineProblem({
    name: 'below a moving bound',
    states: ['x1', 'x2'],
    controls: ['u'],
    horizon: 1,
    dynamics: ({ x2 }, { u }) => ({ x1: x2, x2: u.minus(x2) }),
    runningCost: ({ x1, x2 }, { u }) => x1.squared().plus(x2.squared()).plus(u.squared().times(0.005)),
    controlBounds: { u: { lower: -20, upper: 20 } },
    initial: { x1: 0, x2: -1 },
    pathConstraints: ({ x2 }, _u, t) => ({
      ceiling: { value: x2.minus(t.minus(0.5).squared().times(8)), upper: -0.5 },
    }),
  })
  expect(solveOptimalControl(below, { ...interior, intervals: 100 }).objective / 0.1698205).toBeCloseTo(1, 4)
})

test('an end on a circle, and meshes made finer where the control switches (Maurer & Osmolovskii 2003: 2.864192)', () => {
  const toCircle = {
    ...vanDerPol({ horizon: 2 }).problem,
    ...defineProblem({
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
    runningCost: () => 0,
  }
  const coarse = solveOptimalControl(toCircle, { ...interior, intervals: 30 })
  const fine = solveOptimalControl(toCircle, {
    ...{ intervals: 30, method: 'interiorPoint', refinement: { tolerance: 1e-6, rounds: 6 } },
  })
  const errorOf = ({ horizon }: { horizon: number }): number => Math.abs(horizon / 2.864191880069 - 1)
  expect(errorOf(fine)).toBeLessThan(2e-6)
  expect(errorOf(fine)).toBeLessThan(errorOf(coarse) / 5)
  expect(fine.meshError).toBeLessThanOrEqual(1e-6)
  // Fewer than equal intervals of the smallest size would be.
  const steps = fine.t.slice(1).map((time, k) => time - fine.t[k]!)
  expect(fine.t.length).toBeLessThan((0.2 * fine.horizon) / Math.min(...steps))
})

test('ends that depend on each other: a period of an oscillator that comes back to where it began', () => {
  const periodic = defineProblem({
    name: 'periodic',
    states: ['x', 'v'],
    controls: ['u'],
    horizon: { guess: 6, lower: 3, upper: 9 },
    dynamics: ({ x, v }, { u }) => ({ x: v, v: u.minus(x) }),
    runningCost: (_x, { u }) => u.squared(),
    boundaryConditions: (first, last) => ({
      position: { value: last.x.minus(first.x) },
      speed: { value: last.v.minus(first.v) },
      amplitude: { value: first.x.squared().plus(last.v.squared()), lower: 1, upper: 4 },
    }),
  })
  const start: GuessFunction = (fraction) => ({
    x: { x: Math.cos(6 * fraction), v: -Math.sin(6 * fraction) },
  })
  const { status, horizon, x } = solveOptimalControl(periodic, { ...interior, initialGuess: start })
  expect(status).toBe('solved')
  expect(horizon).toBeCloseTo(2 * Math.PI, 3)
  expect(x[x.length - 2]).toBeCloseTo(x[0]!, 7)
  expect(x[0]! ** 2 + x[1]! ** 2).toBeGreaterThan(1 - 1e-6)
})

test.each(['interiorPoint', 'sequentialQuadratic'] as const)(
  '%s: what can not be met is named, with its size',
  (method) => {
    const tooFar = { ...leastTime, horizon: 4, terminalCost: () => 0, runningCost: () => 0 }
    const { status, message, infeasibility } = solveOptimalControl(tooFar, { intervals: 30, method })
    expect(status).toBe('failed')
    const [, state, size] =
      /^infeasible: .*; the dynamics of (x|v) between t = [\d.]+ and t = [\d.]+ are? ?.*missed by ([\d.e+-]+)/.exec(
        message.replace(' is missed', ' are missed'),
      ) as RegExpExecArray
    expect(['x', 'v']).toContain(state)
    expect(Number(size)).toBeCloseTo(infeasibility, 2)
  },
)

test('a path constraint and a boundary condition that can not be met are named', () => {
  const still = defineProblem({
    name: 'still',
    states: ['x'],
    controls: ['u'],
    horizon: 1,
    dynamics: (_x, { u }) => ({ x: u }),
    runningCost: (_x, { u }) => u.squared(),
    initial: { x: 0 },
    controlBounds: { u: { lower: -1, upper: 1 } },
  })
  const path = solveOptimalControl(
    { ...still, pathConstraints: (_x, { u }) => ({ push: { value: u!, lower: 3, upper: 3 } }) },
    interior,
  )
  expect(path.message).toMatch(/the path constraint push in \[3, 3\] at t = [\d.]+ is missed by 2/)
  const boundary = solveOptimalControl(
    { ...still, boundaryConditions: (_first, { x }) => ({ goal: { value: x!.squared(), lower: -3, upper: -2 } }) },
    interior,
  )
  expect(boundary.message).toMatch(/^infeasible: .* the boundary condition goal in \[-3, -2\] is missed by 2/)
})

test('both methods and both schemes come to the same answer', () => {
  const { problem, published } = vanDerPol({ horizon: 5 })
  for (const method of ['sequentialQuadratic', 'interiorPoint'] as const) {
    const { objective } = solveOptimalControl(problem, { intervals: 60, method })
    expect(objective / published.objective).toBeCloseTo(1, 6)
  }
  const error = (intervals: number): number =>
    solveOptimalControl(problem, { intervals, scheme: 'trapezoidal' }).objective - published.objective
  expect(error(50) / error(100)).toBeGreaterThan(3.5)
  expect(error(50) / error(100)).toBeLessThan(4.5)
})

test('what an iteration reports is a guess to go on from, on any mesh', () => {
  const states: (Guess & { readonly objective: number })[] = []
  const { problem, intervals } = rayleigh()
  const options = { intervals, method: 'interiorPoint' } as const
  const whole = solveOptimalControl(problem, { ...options, onIterate: (state) => states.push(state) })
  expect(states).toHaveLength(whole.iterations + 1)
  const initialGuess = states.at(-2)!
  const rest = solveOptimalControl(problem, { intervals: 100, initialGuess })
  expect(rest.objective / whole.objective).toBeCloseTo(1, 5)
  expect(rest.iterations).toBeLessThan(whole.iterations)
})

test.each<[string, SolveOptions, RegExp]>([
  ['of another length', { ...interior, mesh: Float64Array.of(0, 1) }, /mesh has 2 ends; 40 intervals have 41/],
  ['that does not rise', { intervals: 2, mesh: Float64Array.of(0, 0, 1) }, /mesh must rise/],
])('a mesh %s is refused', (_name, options, reason) => {
  expect(() => solveOptimalControl(leastTime, options)).toThrow(reason)
})

test.each([
  ['a guess outside', { ...leastTime, horizon: { guess: 3, upper: 2 } }, /horizon.guess is 3/],
  ['ends that cross', { ...leastTime, horizon: { guess: 3, lower: 4, upper: 2 } }, /horizon is free in \[4, 2\]/],
  [
    'a path constraint between nothing',
    { ...leastTime, pathConstraints: () => ({ odd: { value: 1, lower: 2, upper: 1 } }) },
    /pathConstraints.odd is \[2, 1\]/,
  ],
])('a malformed problem: %s', (_name, problem, reason) => {
  expect(() => solveOptimalControl(problem, interior)).toThrow(reason)
})
