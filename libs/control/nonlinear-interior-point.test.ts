import { expect, test } from 'vitest'

import { programOf, type ProgramStatement } from './expression-program.fixture.js'
import type { Expression } from './expression.js'
import { solveNonlinearInteriorPoint } from './nonlinear-interior-point.js'
import { solveNonlinearProgram } from './sequential-quadratic.js'

type Vector = readonly Expression[]
const sumOf = (terms: readonly Expression[]): Expression => terms.reduce((sum, term) => sum.plus(term))

/** Problems of Hock & Schittkowski, Test Examples for Nonlinear Programming Codes (1981), with their starts and least values. */
const problems: readonly (readonly [string, ProgramStatement, start: readonly number[], least: number])[] = [
  [
    '6',
    {
      variables: 2,
      cost: (x) => x[0]!.negated().plus(1).squared(),
      equations: (x) => [x[1]!.minus(x[0]!.squared()).times(10)],
    },
    [-1.2, 1],
    0,
  ],
  [
    '26',
    {
      variables: 3,
      cost: (x) => x[0]!.minus(x[1]!).squared().plus(x[1]!.minus(x[2]!).power(4)),
      equations: (x) => [x[1]!.squared().plus(1).times(x[0]!).plus(x[2]!.power(4)).minus(3)],
    },
    [-2.6, 2, 2],
    0,
  ],
  [
    '39',
    {
      variables: 4,
      cost: (x) => x[0]!.negated(),
      equations: (x) => [
        x[1]!.minus(x[0]!.power(3)).minus(x[2]!.squared()),
        x[0]!.squared().minus(x[1]!).minus(x[3]!.squared()),
      ],
    },
    [2, 2, 2, 2],
    -1,
  ],
  [
    '40',
    {
      variables: 4,
      cost: (x) => x.reduce((product, value) => product.times(value)).negated(),
      equations: (x) => [
        x[0]!.power(3).plus(x[1]!.squared()).minus(1),
        x[0]!.squared().times(x[3]!).minus(x[2]!),
        x[3]!.squared().minus(x[1]!),
      ],
    },
    [0.8, 0.8, 0.8, 0.8],
    -0.25,
  ],
  [
    '71',
    {
      variables: 5,
      cost: (x) =>
        x[0]!
          .times(x[3]!)
          .times(sumOf(x.slice(0, 3)))
          .plus(x[2]!),
      equations: (x) => [
        x
          .slice(0, 4)
          .reduce((product, value) => product.times(value))
          .minus(x[4]!)
          .minus(25),
        sumOf(x.slice(0, 4).map((value) => value.squared())).minus(40),
      ],
      lower: [1, 1, 1, 1, 0],
      upper: [5, 5, 5, 5, Infinity],
    },
    [1, 5, 5, 1, 0],
    17.0140173,
  ],
  [
    '78',
    {
      variables: 5,
      cost: (x) => x.reduce((product, value) => product.times(value)),
      equations: (x) => [
        sumOf(x.map((value) => value.squared())).minus(10),
        x[1]!.times(x[2]!).minus(x[3]!.times(x[4]!).times(5)),
        x[0]!.power(3).plus(x[1]!.power(3)).plus(1),
      ],
    },
    [-2, 1.5, 2, -1, -1],
    -2.91970041,
  ],
]

test.each(problems)('problem %s has its published least value', (_name, statement, start, least) => {
  const options = { tolerance: 1e-8, maxIterations: 200 }
  const solution = solveNonlinearInteriorPoint(programOf(statement), Float64Array.from(start), options)
  expect(solution.status).toBe('solved')
  expect(solution.objective).toBeCloseTo(least, 6)
  expect(solution.infeasibility).toBeLessThanOrEqual(1e-8)
})

test.each(problems.slice(4))(
  'problem %s: sequential quadratic programming agrees',
  (_name, statement, start, least) => {
    const solution = solveNonlinearProgram(programOf(statement), Float64Array.from(start), {
      tolerance: 1e-8,
      maxIterations: 200,
    })
    expect(solution.status).toBe('solved')
    expect(solution.objective).toBeCloseTo(least, 6)
  },
)

test('multipliers are the price of a constraint', () => {
  const priceAt = (total: number): ReturnType<typeof solveNonlinearInteriorPoint> =>
    solveNonlinearInteriorPoint(
      programOf({
        variables: 2,
        cost: (x: Vector) => x[0]!.squared().plus(x[1]!.squared().times(2)),
        equations: (x) => [x[0]!.plus(x[1]!).minus(total)],
      }),
      Float64Array.of(5, -3),
      { tolerance: 1e-10, maxIterations: 50 },
    )
  // The least cost is 2/3 · total².
  expect(priceAt(3).objective).toBeCloseTo(6, 9)
  expect(Math.abs(priceAt(3).multipliers[0]!)).toBeCloseTo(4, 8)
})

test('a far start is brought back by the restoration phase', () => {
  const circle: ProgramStatement = {
    variables: 2,
    cost: (x) => x[0]!.plus(x[1]!),
    equations: (x) => [x[0]!.squared().plus(x[1]!.squared()).minus(1), x[0]!.times(x[1]!).minus(0.25)],
    lower: [0, 0],
  }
  const { status, z } = solveNonlinearInteriorPoint(programOf(circle), Float64Array.of(40, 0.01), {
    tolerance: 1e-9,
    maxIterations: 200,
  })
  expect(status).toBe('solved')
  expect([...z].sort((a, b) => a - b).map((value) => value ** 2 * 4)).toEqual([
    expect.closeTo(2 - Math.sqrt(3), 7),
    expect.closeTo(2 + Math.sqrt(3), 7),
  ])
})

test('what contradicts itself is infeasible, with the equation and its miss', () => {
  const apart: ProgramStatement = {
    variables: 2,
    cost: (x) => x[0]!.squared(),
    equations: (x) => [x[0]!.plus(x[1]!), x[0]!.squared().plus(x[1]!.squared()).plus(1)],
  }
  const { status, message } = solveNonlinearInteriorPoint(programOf(apart), Float64Array.of(1, 2), {
    tolerance: 1e-8,
    maxIterations: 200,
  })
  expect(status).toBe('failed')
  expect(message).toMatch(/^infeasible: .*equation 1 is missed by 1\.00e\+0/)
})

test('what is not finite at the start, and what takes too long, are told', () => {
  const root: ProgramStatement = { variables: 1, cost: (x) => x[0]!.log().squared() }
  const options = { tolerance: 1e-8, maxIterations: 2 }
  expect(solveNonlinearInteriorPoint(programOf(root), Float64Array.of(-1), options).message).toMatch(
    /not finite at the initial guess/,
  )
  const cut = solveNonlinearInteriorPoint(programOf(root), Float64Array.of(0.01), options)
  expect([cut.status, cut.iteration]).toEqual(['iterationLimit', 2])
})
