import { expect, test } from 'vitest'

import { createInlineCluster } from '#libs/client'

import { aggregateStatistics, distributeComputation, faultTolerantMap, parameterGrid, parameterSweep } from './index.js'
import { flaky, hold, square, squareUnlessOdd, sumUnlessThree } from './tasks.fixture.js'

test('results come in the order of the inputs, with progress', async () => {
  await using cluster = createInlineCluster()
  const seen: number[] = []
  const results = await distributeComputation(square, [1, 2, 3], cluster, {
    onProgress: ({ done, total }) => seen.push(done / total),
  })

  expect(results).toEqual([1, 4, 9])
  expect(seen).toEqual([1 / 3, 2 / 3, 1])
})

test('the first input that fails ends the computation', async () => {
  await using cluster = createInlineCluster()

  await expect(distributeComputation(squareUnlessOdd, [2, 3, 4], cluster)).rejects.toThrow('RangeError: 3 is odd')
  await expect(distributeComputation(square, [], cluster)).rejects.toThrow('there are no inputs')
})

test('who aborts gets his own reason, and what runs is stopped', async () => {
  await using cluster = createInlineCluster()
  const stop = new AbortController()
  const run = distributeComputation(hold, [1, 2], cluster, { signal: stop.signal })
  stop.abort(new Error('enough'))

  await expect(run).rejects.toThrow('enough')
  expect(await distributeComputation(square, [5], cluster)).toEqual([25])
})

test('a fault-tolerant map keeps partial results, and says what failed, how and how often it was tried', async () => {
  await using cluster = createInlineCluster()
  const inputs = [0, 1, 2, 3].map((fails, x) => ({ x, fails }))
  const { results, failures } = await faultTolerantMap(flaky, inputs, {
    cluster,
    maxRetries: 2,
    retry: { backoff: 1 },
  })

  expect(results).toEqual([0, 1, 2, undefined])
  expect(failures).toHaveLength(1)
  expect(failures[0]).toMatchObject({ index: 3, input: { x: 3, fails: 3 }, attempts: 3 })
  expect(failures[0]?.error.message).toContain('attempt 3 of 3')
  expect(failures[0]?.history.map(({ message }) => message)).toEqual([
    'attempt 1 of 3',
    'attempt 2 of 3',
    'attempt 3 of 3',
  ])
})

test('options of a fault-tolerant map that make no sense are refused', async () => {
  await using cluster = createInlineCluster()

  await expect(faultTolerantMap(square, [], { cluster })).rejects.toThrow('there are no inputs')
  await expect(faultTolerantMap(square, [1], { cluster, maxRetries: -1 })).rejects.toThrow('maxRetries is -1')
})

test('a sweep over a grid gives its points in order, and lists those that failed', async () => {
  await using cluster = createInlineCluster()
  const { points, failures } = await parameterSweep(sumUnlessThree, { grid: { a: [1, 2], b: [1, 10] } }, { cluster })

  expect(points).toEqual([
    { parameters: { a: 1, b: 1 }, result: 2 },
    { parameters: { a: 1, b: 10 }, result: 11 },
    { parameters: { a: 2, b: 10 }, result: 12 },
  ])
  expect(failures).toMatchObject([{ index: 2, input: { a: 2, b: 1 }, attempts: 1 }])
  const rows = [{ a: 5, b: 5 }]
  expect((await parameterSweep(sumUnlessThree, { table: rows }, { cluster })).points).toEqual([
    { parameters: rows[0], result: 10 },
  ])
  await expect(parameterSweep(sumUnlessThree, { table: [] }, { cluster })).rejects.toThrow('the table has no rows')
})

test('a grid is all combinations, the last parameter fastest', () => {
  expect(parameterGrid({ kind: ['p', 'q'], x: { from: 0, to: 1, count: 3 } })).toEqual([
    { kind: 'p', x: 0 },
    { kind: 'p', x: 0.5 },
    { kind: 'p', x: 1 },
    { kind: 'q', x: 0 },
    { kind: 'q', x: 0.5 },
    { kind: 'q', x: 1 },
  ])
  const decades = parameterGrid({ r: { from: 0.01, to: 100, count: 5, scale: 'log' } }).map(({ r }) => r)
  for (const [k, r] of decades.entries()) expect(r).toBeCloseTo(10 ** (k - 2), 12)
})

test.each([
  [{}, 'there are no parameters'],
  [{ q: [] }, 'q has no values'],
  [{ q: { from: 2, to: 1, count: 2 } }, 'q goes from 2 to 1'],
  [{ q: { from: 0, to: 1, count: 0 } }, 'q has count 0'],
  [{ q: { from: 0, to: 1, count: 2, scale: 'log' as const } }, 'q is spaced by logarithms from 0'],
  [{ q: 3 as never }, 'q must be a list of values'],
])('a grid that makes no sense is refused: %j', (ranges, message) => {
  expect(() => parameterGrid(ranges)).toThrow(message)
})

test('statistics hold to the last digits where sums of squares lose them all', () => {
  // NIST StRD "NumAcc4" (univariate): mean 10000000.2, standard deviation 0.1, 1,001 values.
  const values = [1e7 + 0.2, ...Array.from({ length: 500 }, () => [1e7 + 0.1, 1e7 + 0.3]).flat()]
  const statistics = aggregateStatistics(values, [0, 0.5, 1])

  expect(statistics.n).toBe(1001)
  expect(statistics.mean).toBe(10000000.2)
  expect(Math.abs(statistics.std - 0.1)).toBeLessThan(1e-8)
  expect(statistics.quantiles).toEqual({ '0': 1e7 + 0.1, '0.5': 1e7 + 0.2, '1': 1e7 + 0.3 })
})

test('quantiles interpolate as NumPy does', () => {
  // numpy.quantile([1, 2, 4, 8], [0.1, 0.5, 0.9]) = [1.3, 3, 6.8]
  const { quantiles } = aggregateStatistics([8, 1, 4, 2], [0.1, 0.5, 0.9])
  expect(quantiles['0.1']).toBeCloseTo(1.3, 12)
  expect(quantiles['0.5']).toBe(3)
  expect(quantiles['0.9']).toBeCloseTo(6.8, 12)
})

test('statistics of nothing, or of what is no number, are refused', () => {
  expect(() => aggregateStatistics([])).toThrow('there are no results')
  expect(() => aggregateStatistics([1, NaN])).toThrow('result 1 is not a number')
  expect(() => aggregateStatistics([1], [2])).toThrow('must lie in [0, 1]')
})
