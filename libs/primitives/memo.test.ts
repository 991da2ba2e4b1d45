import { beforeEach, expect, test } from 'vitest'

import { createInlineCluster, MeshError } from '#libs/client'

import { distributeComputation, faultTolerantMap, parameterSweep } from './index.js'
import { countedSquare, drawn, hold, runs, sumUnlessThree } from './tasks.fixture.js'

beforeEach(() => runs.clear())

test('what was computed once is not computed again, and only what is new is', async () => {
  await using cluster = createInlineCluster()
  const seen: [number, number][] = []
  const study = (inputs: readonly number[], memoize: boolean | { force: boolean } = true): Promise<number[]> =>
    distributeComputation(countedSquare, inputs, cluster, {
      memoize,
      onProgress: ({ done, total }) => seen.push([done, total]),
    })

  expect(await study([1, 2, 3])).toEqual([1, 4, 9])
  expect(runs.get('countedSquare')).toBe(3)
  seen.length = 0
  expect(await study([3, 5, 1, 2])).toEqual([9, 25, 1, 4])
  expect(runs.get('countedSquare')).toBe(4)
  expect(seen.at(-1)).toEqual([4, 4])
  expect(await study([1, 2, 3, 5])).toEqual([1, 4, 9, 25])
  expect(runs.get('countedSquare')).toBe(4)
  // Without it nothing is asked, and nothing is kept.
  expect(await study([1], false)).toEqual([1])
  expect(await study([1], { force: true })).toEqual([1])
  expect(runs.get('countedSquare')).toBe(6)
  expect(await cluster.checkpoints.list({ prefix: 'memo/' })).toHaveLength(4)
})

test('each input, and each seed, has a random stream of its own, wherever the input stands', async () => {
  await using cluster = createInlineCluster()
  const draw = (inputs: readonly string[], seed?: number): Promise<number[]> =>
    distributeComputation(drawn, inputs, cluster, { memoize: seed === undefined ? true : { seed } })

  const whole = await draw(['a', 'b', 'c'])
  expect(new Set(whole).size).toBe(3)
  await using other = createInlineCluster()
  expect(await distributeComputation(drawn, ['c', 'x', 'a'], other, { memoize: true })).toEqual([
    whole[2],
    expect.any(Number),
    whole[0],
  ])
  expect(await draw(['c', 'd', 'b'])).toEqual([whole[2], expect.any(Number), whole[1]])
  const [reseeded] = await draw(['a'], 1)
  expect(reseeded).not.toBe(whole[0])
  expect(await draw(['a'], 1)).toEqual([reseeded])
  expect(runs.get('drawn')).toBe(3 + 3 + 1 + 1)
})

test('what fails is not kept, and is tried again the next time; a sweep keeps its other points', async () => {
  await using cluster = createInlineCluster()
  const over = { grid: { a: [1, 2], b: [1, 10] } } as const
  const sweep = () => parameterSweep(sumUnlessThree, over, { cluster, memoize: true })
  const first = await sweep()
  expect(first.points.map(({ result }) => result)).toEqual([2, 11, 12])
  expect(first.failures.map(({ index }) => index)).toEqual([2])
  expect(await cluster.checkpoints.list({ prefix: 'memo/' })).toHaveLength(3)
  expect(await sweep()).toMatchObject({ points: first.points, failures: [{ index: 2, attempts: 1 }] })
  await expect(
    distributeComputation(
      sumUnlessThree,
      [
        { a: 0, b: 0 },
        { a: 1, b: 2 },
      ],
      cluster,
      { memoize: true },
    ),
  ).rejects.toThrow('three')
})

test('a study that is stopped has kept what was done', async () => {
  await using cluster = createInlineCluster()
  const stop = new AbortController()
  const inputs = [1, 2, 3]
  const study = faultTolerantMap(countedSquare, inputs, {
    cluster,
    memoize: true,
    signal: stop.signal,
    onProgress: ({ done }) => done === inputs.length && stop.abort(new Error('enough')),
  })
  await expect(study).rejects.toThrow('enough')
  expect(await distributeComputation(countedSquare, inputs, cluster, { memoize: true })).toEqual([1, 4, 9])
  expect(runs.get('countedSquare')).toBe(3)
})

test('a result that is damaged is computed again; one that cannot be kept is a result all the same', async () => {
  await using cluster = createInlineCluster()
  const { checkpoints } = cluster
  await distributeComputation(countedSquare, [7], cluster, { memoize: true })
  const load = checkpoints.load.bind(checkpoints)
  checkpoints.load = () => Promise.reject(new MeshError('DATA_LOSS', 'BLOB_DAMAGED', 'has changed on disk'))
  expect(await distributeComputation(countedSquare, [7], cluster, { memoize: true })).toEqual([49])
  expect(runs.get('countedSquare')).toBe(2)
  checkpoints.load = () => Promise.reject(new MeshError('UNAVAILABLE', 'PEER_GONE', 'the store is gone'))
  await expect(distributeComputation(countedSquare, [7], cluster, { memoize: true })).rejects.toThrow('is gone')
  checkpoints.load = load
  const warned = new Promise((resolve) => process.once('warning', ({ message }) => resolve(message)))
  checkpoints.save = () => Promise.reject(new MeshError('RESOURCE_EXHAUSTED', 'DISK_FULL', 'the disk is full'))
  expect(await distributeComputation(countedSquare, [8], cluster, { memoize: true })).toEqual([64])
  expect(await warned).toMatch(/was not kept, and will be computed again.*the disk is full/)
})

test('futures and scattered values cannot be compared with what is kept', async () => {
  await using cluster = createInlineCluster()
  const future = cluster.submit(hold, 1)
  await expect(distributeComputation(countedSquare, [future], cluster, { memoize: true })).rejects.toThrow(
    'give the value itself',
  )
  await future.cancel()
})
