import { expect, test } from 'vitest'
import { solveQuadraticProgram, type QuadraticProgram } from './quadratic-program.js'

const numbers = (...values: number[]): Float64Array => Float64Array.from(values)

function expectClose(actual: Float64Array, expected: readonly number[], tolerance = 1e-7): void {
  expect(actual.length).toBe(expected.length)
  actual.forEach((value, i) => expect(Math.abs(value - expected[i]!)).toBeLessThanOrEqual(tolerance))
}

test('equalities only: Nocedal & Wright, example 16.2', () => {
  const solution = solveQuadraticProgram({
    H: numbers(6, 2, 1, 2, 5, 2, 1, 2, 4),
    g: numbers(-8, -3, -3),
    A: numbers(1, 0, 1, 0, 1, 1),
    b: numbers(3, 0),
  })
  expect(solution.status).toBe('solved')
  expectClose(solution.x, [2, -1, 1], 1e-12)
  expectClose(solution.multipliers, [3, -2], 1e-12)
  expect(solution.objective).toBeCloseTo(-3.5, 12)
})

test('inequalities as bounded slacks: Nocedal & Wright, example 16.4', () => {
  const H = new Float64Array(25)
  H[0] = 2
  H[6] = 2
  const solution = solveQuadraticProgram({
    H,
    g: numbers(-2, -5, 0, 0, 0),
    A: numbers(1, -2, -1, 0, 0, -1, -2, 0, -1, 0, -1, 2, 0, 0, -1),
    b: numbers(-2, -6, -2),
    lower: new Float64Array(5),
  })
  expect(solution.status).toBe('solved')
  expectClose(solution.x.subarray(0, 2), [1.4, 1.7])
  expectClose(solution.multipliers, [0.8, 0, 0])
})

test('the example of Goldfarb & Idnani as in the manual of R package quadprog', () => {
  const H = new Float64Array(36)
  for (let i = 0; i < 3; i++) H[i * 6 + i] = 1
  const solution = solveQuadraticProgram({
    H,
    g: numbers(0, -5, 0, 0, 0, 0),
    A: numbers(-4, -3, 0, -1, 0, 0, 2, 1, 0, 0, -1, 0, 0, -2, 1, 0, 0, -1),
    b: numbers(-8, 2, 0),
    lower: numbers(-Infinity, -Infinity, -Infinity, 0, 0, 0),
  })
  expectClose(solution.x.subarray(0, 3), [10 / 21, 22 / 21, 44 / 21])
  expect(solution.objective).toBeCloseTo(-50 / 21, 7)
})

test('no curvature: a linear program', () => {
  const solution = solveQuadraticProgram({
    H: new Float64Array(16),
    g: numbers(-1, -2, 0, 0),
    A: numbers(1, 1, 1, 0, 1, 3, 0, 1),
    b: numbers(4, 6),
    lower: new Float64Array(4),
  })
  expect(solution.status).toBe('solved')
  expectClose(solution.x, [3, 1, 0, 0], 1e-6)
  expectClose(solution.multipliers, [-0.5, -0.5], 1e-6)
})

test('bounds that hold, bounds that do not, and a bound of no width', () => {
  const solution = solveQuadraticProgram({
    H: numbers(1, 0, 0, 0, 1, 0, 0, 0, 1),
    g: numbers(-3, 1, -0.25),
    lower: numbers(0, 0, -1),
    upper: numbers(2, 5, 1),
  })
  expectClose(solution.x, [2, 0, 0.25])
  expectClose(solution.upperMultipliers, [1, 0, 0])
  expectClose(solution.lowerMultipliers, [0, 1, 0])
  const pinned = solveQuadraticProgram({ H: numbers(1), g: numbers(-5), lower: numbers(0.5), upper: numbers(0.5) })
  expectClose(pinned.x, [0.5])
  expectClose(
    pinned.upperMultipliers.map((value, i) => value - pinned.lowerMultipliers[i]!),
    [4.5],
  )
})

test('convex on the nullspace of the equalities alone is enough', () => {
  const solution = solveQuadraticProgram({
    H: numbers(-1, 0, 0, 2),
    g: numbers(0, 0),
    A: numbers(1, -1),
    b: numbers(1),
  })
  expect(solution.status).toBe('solved')
  expectClose(solution.x, [2, 1], 1e-10)
})

test('repeated equalities do no harm', () => {
  const solution = solveQuadraticProgram({
    H: numbers(1, 0, 0, 1),
    g: numbers(0, 0),
    A: numbers(1, 1, 1, 1),
    b: numbers(1, 1),
  })
  expect(solution.status).toBe('solved')
  expectClose(solution.x, [0.5, 0.5], 1e-10)
})

const identity = numbers(1, 0, 0, 1)
test.each<[string, string, QuadraticProgram]>([
  ['infeasible', 'a bound', { H: identity, g: numbers(0, 0), A: numbers(1, 1), b: numbers(5), upper: numbers(1, 1) }],
  ['infeasible', 'another equality', { H: identity, g: numbers(0, 0), A: numbers(1, 1, 1, 1), b: numbers(1, 2) }],
  ['unbounded', 'a free direction', { H: numbers(1, 0, 0, 0), g: numbers(0, -1) }],
  ['unbounded', 'a half-open box', { H: numbers(1, 0, 0, 0), g: numbers(0, -1), lower: numbers(0, 0) }],
  ['notConvex', 'a saddle', { H: numbers(1, 0, 0, -1), g: numbers(0, -1), lower: numbers(0, 0), upper: numbers(2, 2) }],
  ['iterationLimit', 'one iteration', { H: identity, g: numbers(-3, 1), lower: numbers(0, 0), maxIterations: 1 }],
])('%s: %s', (status, _why, program) => {
  expect(solveQuadraticProgram(program).status).toBe(status)
})

test('an infeasible program says which row is missed, and by how much', () => {
  const far = { H: identity, g: numbers(0, 0), A: numbers(1, 0, 1, 1), b: numbers(0.5, 5), upper: numbers(1, 1) }
  const [, row, size] = /^infeasible: .* row (\d) of A x = b is missed by ([\d.]+)/.exec(
    solveQuadraticProgram(far).message,
  ) as RegExpExecArray
  // The misses of both rows, squared, are least at x = (1, 1): 0.5 and 3.
  expect([row, Number(size)]).toEqual(['1', expect.closeTo(3, 2)])
})

test.each<[string, QuadraticProgram]>([
  ['H', { H: numbers(1, 2, 3), g: numbers(0, 0) }],
  ['H', { H: numbers(1, 0, NaN, 1), g: numbers(0, 0) }],
  ['g', { H: identity, g: numbers(0, Infinity) }],
  ['A', { H: identity, g: numbers(0, 0), A: numbers(1), b: numbers(1) }],
  ['b', { H: identity, g: numbers(0, 0), A: numbers(1, 1), b: numbers(NaN) }],
  ['lower', { H: identity, g: numbers(0, 0), lower: numbers(0) }],
  ['lower', { H: identity, g: numbers(0, 0), lower: numbers(0, 2), upper: numbers(1, 1) }],
  ['upper', { H: identity, g: numbers(0, 0), upper: numbers(0) }],
  ['start', { H: identity, g: numbers(0, 0), start: numbers(0) }],
  ['tolerance', { H: identity, g: numbers(0, 0), tolerance: 0 }],
  ['maxIterations', { H: identity, g: numbers(0, 0), maxIterations: 0.5 }],
])('a malformed %s is refused by name', (name, program) => {
  expect(() => solveQuadraticProgram(program)).toThrow(RangeError)
  expect(() => solveQuadraticProgram(program)).toThrow(new RegExp(`^${name}[ [(]`))
})
