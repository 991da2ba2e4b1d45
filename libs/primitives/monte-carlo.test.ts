import { expect, test } from 'vitest'

import { createInlineCluster } from '#libs/client'
import { createRng } from '#libs/domain'

import { factoredRanges, leastSize } from './batches.js'
import { monteCarlo } from './monte-carlo.js'
import { normalQuantile } from './normal-quantile.js'
import { aggregateStatistics } from './statistics.js'
import { line, nanAtSeven, normal, ragged, square } from './tasks.fixture.js'
import { countBuckets, ValueHistogram } from './value-histogram.js'

test('sample i draws from stream i of the seed, and the estimate is that of the samples', async () => {
  await using cluster = createInlineCluster()
  const expected = Float64Array.from({ length: 3_000 }, (_, i) => createRng(42, i).normal())
  const result = await monteCarlo({ cluster, sample: normal, n: 3_000, seed: 42, keepSamples: true })
  const statistics = aggregateStatistics(expected)

  expect(result.samples).toEqual(expected)
  expect(result).toMatchObject({ n: 3_000, stopped: 'n', min: statistics.min, max: statistics.max })
  expect(result.mean).toBeCloseTo(statistics.mean, 13)
  expect(result.variance).toBeCloseTo(statistics.variance, 13)
  expect(result.quantiles).toEqual(statistics.quantiles)
  // The truth lies within the interval: mean 0.
  expect(result.confidenceInterval.low).toBeLessThan(0)
  expect(result.confidenceInterval.high).toBeGreaterThan(0)
  expect(result.confidenceInterval.high - result.mean).toBeCloseTo(1.959964 * result.standardError, 6)
})

test('quantiles of a stream of samples are right to one part in a thousand', async () => {
  await using cluster = createInlineCluster()
  const options = { cluster, sample: normal, n: 20_000, seed: 1, quantiles: [0.01, 0.5, 0.9] }
  const streamed = await monteCarlo(options)
  const kept = await monteCarlo({ ...options, keepSamples: true })

  for (const [p, exact] of Object.entries(kept.quantiles)) {
    expect(Math.abs(streamed.quantiles[p]! - exact)).toBeLessThan(1e-3 * Math.max(Math.abs(exact), 0.02))
  }
  expect(streamed.mean).toBe(kept.mean)
})

test('it stops at the first chunk at which the error is small enough, and counts nothing beyond', async () => {
  await using cluster = createInlineCluster()
  const until = { standardError: 0.02 }
  const progress: number[] = []
  const stopped = await monteCarlo({
    ...{ cluster, sample: normal, n: 100_000, seed: 3, until },
    onProgress: ({ standardError }) => progress.push(standardError),
  })
  // The same samples in the same chunks, and no more.
  const exact = aggregateStatistics(Array.from({ length: stopped.n }, (_, i) => createRng(3, i).normal()))

  expect(stopped.stopped).toBe('standardError')
  expect(stopped.standardError).toBeLessThanOrEqual(0.02)
  expect(stopped.n % 100).toBe(0)
  expect(stopped.n).toBeGreaterThan(2_000)
  expect(stopped.n).toBeLessThan(3_000)
  expect(stopped.mean).toBeCloseTo(exact.mean, 13)
  expect(Math.abs(stopped.quantiles['0.95']! - exact.quantiles['0.95']!)).toBeLessThan(0.01)
  expect(progress.length).toBeGreaterThan(0)
})

test('several numbers that belong together have an estimate each', async () => {
  await using cluster = createInlineCluster()
  const { outputs, n } = await monteCarlo({ cluster, sample: line, n: 500, seed: 9 })

  expect(n).toBe(500)
  expect(outputs).toHaveLength(2)
  expect(outputs[1]!.mean).toBeCloseTo(3 * outputs[0]!.mean + 1, 12)
  expect(outputs[1]!.std).toBeCloseTo(3 * outputs[0]!.std, 12)
})

test('samples that are no numbers, or not as many as before, are named', async () => {
  await using cluster = createInlineCluster()

  await expect(monteCarlo({ cluster, sample: nanAtSeven, n: 10 })).rejects.toThrow('sample 7 is not a number')
  await expect(monteCarlo({ cluster, sample: ragged, n: 10 })).rejects.toThrow(/sample.*2/)
})

test.each([
  [{ n: 0 }, 'n is 0'],
  [{ n: 1.5 }, 'n is 1.5'],
  [{ n: 10, confidence: 1 }, 'confidence is 1'],
  [{ n: 10, quantiles: [2] }, 'must lie in [0, 1]'],
  [{ n: 10, until: { standardError: 0 } }, 'until.standardError is 0'],
  [{ n: 10, until: { standardError: 1, minSamples: 0 } }, 'until.minSamples is 0'],
])('options that make no sense are refused: %j', async (options, message) => {
  await using cluster = createInlineCluster()
  await expect(monteCarlo({ cluster, sample: square, ...options })).rejects.toThrow(message)
})

test('one sample has a mean, and no variance', async () => {
  await using cluster = createInlineCluster()
  const { mean, variance, standardError } = await monteCarlo({ cluster, sample: square, n: 1 })
  expect([mean, variance, standardError]).toEqual([0, NaN, NaN])
})

test('batches cover all items once, in rounds of one for each slot, the last ones small', () => {
  const items = { from: 1_000, to: 101_000 }
  const least = leastSize(items, 2, 100)
  const ranges = factoredRanges(items, { slots: 2, grain: 100, least })
  for (const [k, { from }] of ranges.entries()) expect(from).toBe(k === 0 ? 1_000 : ranges[k - 1]!.to)
  expect(ranges.at(-1)!.to).toBe(101_000)
  expect(ranges.map(({ from, to }) => to - from)).toEqual([37_500, 37_500, 12_500, 12_500])
})

test('batches are no larger than what fits, and hold at least a grain', () => {
  const sizes = (most: number, grain: number): number[] =>
    factoredRanges({ from: 0, to: 20 }, { slots: 2, grain, least: grain, most }).map(({ from, to }) => to - from)
  expect(sizes(5, 1)).toEqual([5, 5, 4, 4, 1, 1])
  expect(sizes(5, 3)).toEqual([3, 3, 3, 3, 3, 3, 2])
  expect(sizes(0, 4)).toEqual([4, 4, 4, 4, 4])
})

test('a histogram knows quantiles of any sign and size', () => {
  const values = Float64Array.from({ length: 4_001 }, (_, i) => Math.sinh((i - 2_000) / 100))
  const histogram = new ValueHistogram()
  histogram.add(countBuckets(values.slice(0, 1_234)))
  histogram.add(countBuckets(values.slice(1_234)))
  const quantiles = histogram.quantiles([0, 0.1, 0.5, 0.9, 1], { min: values[0]!, max: values[4_000]! })

  expect(quantiles['0']).toBe(values[0])
  expect(quantiles['1']).toBe(values[4_000])
  expect(Math.abs(quantiles['0.1']! / values[400]! - 1)).toBeLessThan(2e-3)
  expect(Math.abs(quantiles['0.9']! / values[3_600]! - 1)).toBeLessThan(2e-3)
  expect(Math.abs(quantiles['0.5']!)).toBeLessThan(1e-3)
})

test('normal quantiles are those of the tables', () => {
  expect(normalQuantile(0.975)).toBeCloseTo(1.959963985, 8)
  expect(normalQuantile(0.001)).toBeCloseTo(-3.090232306, 8)
  expect(normalQuantile(0.5)).toBe(0)
})
