import { beforeEach, expect, test } from 'vitest'

import { type Cluster, createInlineCluster } from '#libs/client'
import { createRng } from '#libs/domain'

import { distributedOptimization, type OptimizationOptions, type SearchMethod } from './index.js'
import { bowl, broken, budgeted, noise, runs } from './tasks.fixture.js'

const parameterRanges = { x: [0, 1], y: [0, 1] } as const

beforeEach(() => runs.clear())

test.each<[SearchMethod, number]>([
  ['random', 5e-3],
  ['grid', 5e-3],
  ['latin', 5e-3],
  ['sobol', 5e-3],
  ['halton', 5e-3],
  ['cmaes', 1e-8],
  ['de', 1e-3],
  ['ga', 1e-3],
  ['sa', 5e-3],
])('%s finds the bottom of a bowl, part of which throws or is no number', async (method, near) => {
  await using cluster = createInlineCluster()
  const found = await distributedOptimization({ cluster, objective: bowl, parameterRanges, nSamples: 400, method })

  expect(found.bestValue).toBeLessThan(near)
  expect(found.bestParameters.x).toBeCloseTo(0.3, 0)
  expect(found.best).toBe(found.history[found.best.index])
  expect(found.history.length).toBeGreaterThan(300)
  expect(found.history.length).toBeLessThanOrEqual(400)
  expect(found.failures).toEqual(found.history.filter(({ value }) => Number.isNaN(value)))
  for (const { parameters, error } of found.failures) {
    expect(error).toBe(
      parameters.x > 0.9 ? 'RangeError: x is above 0.9' : 'the objective gave NaN: it must give a finite number',
    )
  }
})

test('the largest value is the best when that is asked for', async () => {
  await using cluster = createInlineCluster()
  const found = await distributedOptimization({
    cluster,
    objective: bowl,
    parameterRanges,
    nSamples: 50,
    maximize: true,
  })
  const values = found.history.map(({ value }) => value).filter((value) => !Number.isNaN(value))
  expect(found.bestValue).toBe(Math.max(...values))
})

test('successive halving calls the objective with what it may spend, and trusts who spent most', async () => {
  await using cluster = createInlineCluster()
  const found = await distributedOptimization({
    ...{ cluster, objective: budgeted, parameterRanges: { x: [0, 1] }, nSamples: 9 },
    ...{ method: 'successiveHalving', halving: { maxResource: 9 } },
  })
  expect(found.history.map(({ resource }) => resource)).toEqual([...Array<number>(9).fill(1), 3, 3, 3, 9])
  expect(found.best.resource).toBe(9)
  expect(found.bestParameters.x).toBe(Math.min(...found.history.map(({ parameters }) => parameters.x)))
})

test('it stops at a target, and when nothing gets better, at the same evaluation whatever the batches', async () => {
  await using cluster = createInlineCluster()
  const search = { cluster, objective: bowl, parameterRanges, nSamples: 500, method: 'random' } as const
  const all = await distributedOptimization(search)
  const target = 0.01
  const reached = await distributedOptimization({ ...search, earlyStop: { target } })
  const index = all.history.findIndex(({ value }) => value <= target)

  expect(reached.stopped).toBe('target')
  expect(reached.history).toEqual(all.history.slice(0, index + 1))
  const patient = await distributedOptimization({ ...search, earlyStop: { patience: 20 } })
  expect(patient.stopped).toBe('patience')
  expect(patient.history.length - 1 - patient.best.index).toBe(20)
})

test.each([
  // The spread shrinks to nothing long before so many evaluations.
  [20_000, 'converged'],
  [40, 'nSamples'],
])('CMA-ES says whether it found an end or ran out of its %d evaluations', async (nSamples, stopped) => {
  await using cluster = createInlineCluster()
  const search = { cluster, objective: bowl, parameterRanges, method: 'cmaes', populationSize: 8 } as const
  expect((await distributedOptimization({ ...search, nSamples })).stopped).toBe(stopped)
})

test('an evaluation draws from the stream of its number', async () => {
  await using cluster = createInlineCluster()
  const { history } = await distributedOptimization({
    ...{ cluster, objective: noise, parameterRanges: { x: [0, 1] }, nSamples: 20, seed: 11 },
  })
  for (const { index, value } of history) expect(value).toBe(createRng(11, index).uniform())
})

/** A search that somebody ends after so many evaluations. */
async function interrupted(
  cluster: Cluster,
  after: number,
  options: Pick<OptimizationOptions<typeof parameterRanges>, 'nSamples' | 'method' | 'study' | 'seed'>,
): Promise<void> {
  const stop = new AbortController()
  const search = {
    ...{ cluster, objective: bowl, parameterRanges, signal: stop.signal },
    onProgress: ({ done }: { done: number }) => {
      if (done >= after) stop.abort(new Error('the power went'))
    },
    ...options,
  }
  await expect(distributedOptimization(search)).rejects.toThrow('the power went')
}

test.each<SearchMethod>(['latin', 'cmaes'])(
  'a study of %s goes on where it ended, to the same result',
  async (method) => {
    await using cluster = createInlineCluster()
    const study = { nSamples: 120, method, study: 'bowl', seed: 4 }
    await interrupted(cluster, 40, study)
    const before = runs.get('bowl')!
    const resumed = await distributedOptimization({ cluster, objective: bowl, parameterRanges, ...study })
    const whole = await distributedOptimization({ cluster, objective: bowl, parameterRanges, ...study, study: 'other' })

    expect(before).toBeGreaterThanOrEqual(40)
    expect(resumed).toEqual(whole)
    // What was evaluated before was not evaluated again; the other study evaluated all.
    expect(runs.get('bowl')! - whole.history.length).toBeLessThanOrEqual(whole.history.length + 8)
    expect((await distributedOptimization({ cluster, objective: bowl, parameterRanges, ...study })).best).toEqual(
      whole.best,
    )
    expect(runs.get('bowl')! - whole.history.length).toBeLessThanOrEqual(whole.history.length + 8)
    await expect(
      distributedOptimization({ cluster, objective: bowl, parameterRanges, ...study, seed: 5 }),
    ).rejects.toThrow("study 'bowl' holds another search")
    await distributedOptimization({ cluster, objective: bowl, parameterRanges, ...study, seed: 5, restart: true })
  },
)

test('when nothing gives a number, the first reasons are told', async () => {
  await using cluster = createInlineCluster()
  const search = distributedOptimization({ cluster, objective: broken, parameterRanges: { x: [0, 1] }, nSamples: 5 })
  await expect(search).rejects.toThrow('none of 5 evaluations gave a number; the first: Error: no value at positive x')
})

test.each([
  [{ nSamples: 0 }, 'nSamples is 0'],
  [{ nSamples: 2, method: 'de' }, 'at least 4'],
  [{ start: [0.5] }, 'start is [0.5]'],
  [{ spread: 0 }, 'spread is 0'],
  [{ populationSize: 1 }, 'populationSize is 1'],
  [{ earlyStop: { patience: 0 } }, 'earlyStop.patience is 0'],
  [{ method: 'successiveHalving' }, 'needs halving'],
  [{ method: 'magic' }, 'method is magic; give one of random, grid'],
])('settings that make no sense are refused: %j', async (over, message) => {
  await using cluster = createInlineCluster()
  const options = { cluster, objective: bowl, parameterRanges, nSamples: 10, ...over } as never
  await expect(distributedOptimization(options)).rejects.toThrow(message)
})
