import { createInlineCluster } from 'costate'
import { expect, test } from 'vitest'
import { trainEnsemble } from './ensemble-training.js'
import { estimateEnd } from './monte-carlo.js'
import { sweepWeights } from './parameter-sweep.js'

test('the sweep finds the weights that it is judged by', async () => {
  await using cluster = createInlineCluster()
  expect(await sweepWeights(cluster, 9)).toMatchObject({ isRight: true })
})

test('a sweep whose grid leaves them out says that it is wrong', async () => {
  await using cluster = createInlineCluster()
  expect((await sweepWeights(cluster, 4)).isRight).toBe(false)
})

test('an ensemble is nearer to the curve than its members', async () => {
  await using cluster = createInlineCluster()
  const { error, memberError, spread, isRight } = await trainEnsemble(cluster, 6)
  expect(isRight).toBe(true)
  // Of the mean of squares the ensemble misses what the members do not differ by.
  expect(error ** 2 + (spread ** 2 * 5) / 6).toBeCloseTo(memberError ** 2, 12)
})

test('samples are right within their standard errors, and the same in every run', async () => {
  await using cluster = createInlineCluster()
  const { statistics, isRight } = await estimateEnd(cluster, 1_000)
  expect(isRight).toBe(true)
  expect((await estimateEnd(cluster, 1_000)).statistics).toEqual(statistics)
})
