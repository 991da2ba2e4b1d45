import { expect, test } from 'vitest'

import { createSearch, type SearchMethod } from './methods.js'
import { parametersOfRow } from './parameter-columns.js'
import { mirror, ParameterSpace } from './parameter-space.js'
import type { Search, SearchSettings } from './search.js'

const settings = (over: Partial<SearchSettings>): SearchSettings => ({
  ...{ dimension: 3, sizes: [Infinity, Infinity, Infinity], nSamples: 2_000, seed: 1 },
  ...over,
})

/** What an objective gets at a point of the cube. */
function parametersAt(space: ParameterSpace, ...point: readonly number[]): Record<string, unknown> {
  return parametersOfRow(space.tableOf([Float64Array.from(point)]), 0)
}

/** Runs a search to its end on a function of the cube. */
function minimise(
  search: Search,
  f: (x: Float64Array) => number,
): { best: number; evaluations: number; told: number[] } {
  const told: number[] = []
  for (let candidates = search.ask(); candidates.length > 0; candidates = search.ask()) {
    const values = Float64Array.from(candidates, ({ point }) => f(point.map(mirror)))
    told.push(...values)
    search.tell(values)
  }
  return { best: Math.min(...told), evaluations: told.length, told }
}

/** Rosenbrock's function on [-2, 2]³, whose minimum is 0. */
function rosenbrock(u: Float64Array): number {
  const x = u.map((value) => 4 * value - 2)
  let sum = 0
  for (let j = 0; j + 1 < x.length; j++) sum += 100 * (x[j + 1]! - x[j]! ** 2) ** 2 + (1 - x[j]!) ** 2
  return sum
}

test.each<[SearchMethod, number]>([
  ['random', 10],
  ['latin', 10],
  ['sobol', 10],
  ['halton', 10],
  ['grid', 60],
  ['cmaes', 1e-9],
  ['de', 0.3],
  ['ga', 2],
  ['sa', 5],
])('%s gets near the minimum within its evaluations, and does the same again', (method, near) => {
  const run = (): ReturnType<typeof minimise> => minimise(createSearch(method, settings({})), rosenbrock)
  const { best, evaluations, told } = run()

  expect(best).toBeLessThan(near)
  expect(evaluations).toBeLessThanOrEqual(2_000)
  expect(evaluations).toBeGreaterThan(1_600)
  expect(run().told).toEqual(told)
})

test.each<SearchMethod>(['cmaes', 'de', 'ga', 'sa'])('%s goes on when part of the evaluations fails', (method) => {
  const search = createSearch(method, settings({ nSamples: 1_500 }))
  const { best } = minimise(search, (u) => (u[0]! < 0.3 ? Infinity : rosenbrock(u)))
  expect(best).toBeLessThan(20)
})

test('CMA-ES keeps to its start and spread, and ends when there is nothing left to find', () => {
  const start = Float64Array.of(0.2, 0.9, 0.5)
  const search = createSearch('cmaes', settings({ start, spread: 1e-3, nSamples: 100_000, populationSize: 10 }))
  const first = search.ask()
  expect(first).toHaveLength(10)
  for (const { point } of first)
    for (const [j, u] of point.entries()) expect(Math.abs(u - start[j]!)).toBeLessThan(6e-3)
  search.tell(new Float64Array(10))
  const { evaluations } = minimise(search, (u) => u.reduce((sum, x) => sum + (x - 0.4) ** 2, 0))
  expect(evaluations).toBeLessThan(20_000)
  expect(search.hasConverged).toBe(true)
})

test('a grid has the ends of what is continuous, and all of what has few values', () => {
  const space = new ParameterSpace({
    x: [0, 1],
    k: { low: 1, high: 2, integer: true },
    kind: { values: ['a', 'b', 'c'] },
  })
  const { dimension, sizes } = space
  const points = createSearch('grid', settings({ dimension, sizes, nSamples: 20 })).ask()
  expect(points.map(({ point }) => parametersAt(space, ...point))).toEqual(
    [0, 0.5, 1].flatMap((x) => [1, 2].flatMap((k) => ['a', 'b', 'c'].map((kind) => ({ x, k, kind })))),
  )
})

test('successive halving gives more to fewer', () => {
  const search = createSearch('successiveHalving', settings({ nSamples: 9 }), {
    minResource: 1,
    maxResource: 6,
    eta: 3,
  })
  const rounds: [number, number | undefined][] = []
  for (let asked = search.ask(); asked.length > 0; asked = search.ask()) {
    rounds.push([asked.length, asked[0]!.resource])
    search.tell(Float64Array.from(asked, ({ point }) => point[0]!))
  }
  expect(rounds).toEqual([
    [9, 1],
    [3, 3],
    [1, 6],
  ])
})

test('parameters are read off the cube: ends, whole numbers, logarithms, categories', () => {
  const space = new ParameterSpace({
    rate: { low: 1e-4, high: 1e-2, scale: 'log' },
    width: { low: 32, high: 256, integer: true },
    depth: { low: 1, high: 8, integer: true, scale: 'log' },
    kind: { values: ['relu', 'tanh'] },
  })
  expect(parametersAt(space, 0.5, 0, 0, 0.49)).toEqual({
    ...{ rate: expect.closeTo(1e-3, 12) as number, width: 32, depth: 1, kind: 'relu' },
  })
  expect(parametersAt(space, 1, 1, 1, 1)).toEqual({
    ...{ rate: expect.closeTo(1e-2, 12) as number, width: 256, depth: 8, kind: 'tanh' },
  })
  expect([mirror(-0.25), mirror(1.25), mirror(3.5)]).toEqual([0.25, 0.75, 0.5])
  expect(parametersAt(space, -1, 1.5, 0, 0)).toEqual(parametersAt(space, 1, 0.5, 0, 0))
})

test.each([
  [{ q: [2, 1] }, 'q lies from 2 to 1'],
  [{ q: [0, NaN] }, 'q lies from 0 to NaN'],
  [{ q: { low: 0, high: 1, scale: 'log' } }, 'q has a logarithmic scale from 0'],
  [{ q: { low: 0.5, high: 1, integer: true } }, 'q is an integer from 0.5'],
  [{ q: { values: [] } }, 'q has no values'],
  [{ q: [1, 2, 3] }, 'q must be [low, high]'],
  [{}, 'there are no parameters'],
])('ranges that make no sense are refused: %j', (ranges, message) => {
  expect(() => new ParameterSpace(ranges as never)).toThrow(message)
})
