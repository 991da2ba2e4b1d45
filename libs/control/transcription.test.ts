import { expect, test } from 'vitest'
import { createRng } from '#libs/domain'
import { hermiteSimpson } from './collocation.js'
import { divideEqually } from './mesh.js'
import { compileModel } from './model.js'
import { createDerivatives } from './nonlinear-program.js'
import { defineProblem, type OptimalControlProblem } from './problem.js'
import { Transcription } from './transcription.js'

/** Everything at once: time in the dynamics, coupling of states and controls, both costs, fixed and free ends. */
const problem = defineProblem({
  name: 'all terms',
  states: ['a', 'b'],
  controls: ['u', 'v'],
  horizon: 1.5,
  dynamics: ({ a, b }, { u, v }, t) => ({
    a: b.times(u).plus(t.sin()),
    b: a.squared().negated().plus(v.exp()).minus(t.times(b)),
  }),
  runningCost: ({ a, b }, { u, v }, t) => a.times(b).times(t).plus(u.power(4)).plus(v.times(u)),
  terminalCost: ({ a, b }, t) => a.power(3).plus(b.times(a).times(t)),
  initial: { a: 0.3 },
  final: { b: 0.2 },
})

/** And all that can be added: a free horizon, both kinds of path constraint, and ends that depend on each other. */
const constrained = defineProblem({
  ...problem,
  horizon: { guess: 1.2 },
  terminalCost: ({ a, b }, t) => a.power(3).plus(b.times(a).times(t)).plus(t.squared()),
  pathConstraints: ({ a, b }, { u, v }, t) => ({
    mixed: { value: a.times(u).plus(t.squared().times(b)), upper: 3 },
    equation: { value: v.plus(u.squared().times(a)) },
  }),
  boundaryConditions: (first, last, horizon) => ({
    product: { value: first.b.times(last.a).plus(horizon.times(last.a)), lower: -1, upper: 2 },
    sum: { value: first.b.squared().plus(last.a) },
  }),
})

interface TestCase {
  readonly problem: OptimalControlProblem
  readonly transcription: Transcription
  readonly at: Float64Array
  readonly multipliers: Float64Array
}

const CASES: readonly TestCase[] = [problem, { ...constrained, name: 'all constraints' }].map((statement) => {
  const transcription = new Transcription(compileModel(statement), hermiteSimpson, Float64Array.of(0, 0.2, 0.7, 1))
  const { variables, equalities } = transcription.structure
  return {
    ...{ problem: statement, transcription },
    at: createRng(9, 0)
      .normals(variables)
      .map((value) => 0.5 * value),
    multipliers: createRng(9, 1).normals(equalities),
  }
})
const STEP = 1e-5

function derivativesAt(
  { transcription, multipliers }: TestCase,
  z: Float64Array,
): ReturnType<typeof createDerivatives> {
  const derivatives = createDerivatives(transcription.structure)
  transcription.differentiate(z, multipliers, derivatives)
  return derivatives
}

function shiftFrom(at: Float64Array): (index: number, size: number) => Float64Array {
  return (index, size) => at.map((value, i) => (i === index ? value + size : value))
}

test('fixed ends are no variables and come back in the full array', () => {
  const { transcription, at } = CASES[0]!
  expect(transcription.structure.variables).toBe(7 * 4 - 2)
  const full = transcription.expand(at)
  expect(full[0]).toBe(0.3)
  expect(full[6 * 4 + 1]).toBe(0.2)
  expect(transcription.compress(full)).toEqual(at)
})

test('slacks begin where their equations hold', () => {
  const { transcription, at } = CASES[1]!
  const z = transcription.compress(transcription.expand(at))
  const constraints = new Float64Array(transcription.structure.equalities)
  transcription.evaluate(z, constraints)
  const isSlack = (row: number): boolean => /mixed|product/.test(transcription.describe(row))
  const slackRows = [...constraints.keys()].filter(isSlack)
  expect(slackRows).toHaveLength(7 + 1)
  for (const row of slackRows) expect(constraints[row]).toBeCloseTo(0, 14)
})

test.each(CASES)('$problem.name: the gradient and the Jacobian agree with differences', (testCase) => {
  const { transcription, at } = testCase
  const { variables, equalities, jacobian } = transcription.structure
  const shift = shiftFrom(at)
  const exact = derivativesAt(testCase, at)
  const dense = new Float64Array(equalities * variables)
  exact.jacobian.forEach((value, e) => (dense[jacobian.rows[e]! * variables + jacobian.columns[e]!] = value))
  const above = new Float64Array(equalities)
  const below = new Float64Array(equalities)
  for (let i = 0; i < variables; i++) {
    const slope =
      (transcription.evaluate(shift(i, STEP), above) - transcription.evaluate(shift(i, -STEP), below)) / (2 * STEP)
    expect(exact.gradient[i]).toBeCloseTo(slope, 8)
    above.forEach((value, row) => {
      expect(dense[row * variables + i]).toBeCloseTo((value - below[row]!) / (2 * STEP), 8)
    })
  }
})

test.each(CASES)('$problem.name: the Hessian of the Lagrangian agrees with differences of its gradient', (testCase) => {
  const { transcription, at, multipliers } = testCase
  const { variables, jacobian, hessian } = transcription.structure
  const shift = shiftFrom(at)
  const dense = new Float64Array(variables * variables)
  derivativesAt(testCase, at).hessian.forEach((value, e) => {
    dense[hessian.rows[e]! * variables + hessian.columns[e]!] = value
    dense[hessian.columns[e]! * variables + hessian.rows[e]!] = value
  })
  const lagrangian = (z: Float64Array): Float64Array => {
    const { gradient, jacobian: values } = derivativesAt(testCase, z)
    values.forEach((value, e) => (gradient[jacobian.columns[e]!]! -= value * multipliers[jacobian.rows[e]!]!))
    return gradient
  }
  for (let i = 0; i < variables; i++) {
    const above = lagrangian(shift(i, STEP))
    const below = lagrangian(shift(i, -STEP))
    above.forEach((value, j) => {
      expect(dense[j * variables + i]).toBeCloseTo((value - below[j]!) / (2 * STEP), 7)
    })
  }
})

test('elimination along time keeps the envelope narrow: it grows with the intervals, not with their square', () => {
  const width = (intervals: number): number => {
    const { structure } = new Transcription(compileModel(problem), hermiteSimpson, divideEqually(intervals))
    const { order } = structure
    return structure.jacobian.rows.reduce(
      (widest, row, e) =>
        Math.max(widest, Math.abs(order[structure.variables + row]! - order[structure.jacobian.columns[e]!]!)),
      0,
    )
  }
  expect(width(40)).toBe(width(4))
  expect(width(40)).toBeLessThan(16)
})
