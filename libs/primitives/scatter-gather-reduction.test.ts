import { expect, test } from 'vitest'

import { createInlineCluster } from '#libs/client'

import { scatterGatherReduction } from './scatter-gather-reduction.js'
import { add, bracket, identity, list, pair, squareUnlessOdd } from './tasks.fixture.js'

test('what is reduced shows the declared order: chunks from left to right, then a tree', async () => {
  await using cluster = createInlineCluster()
  const data = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10]

  expect(await scatterGatherReduction({ cluster, data, mapFn: bracket, reduceFn: pair, chunkSize: 2 })).toBe(
    '((((1 2) (3 4)) ((5 6) (7 8))) (9 10))',
  )
  expect(
    await scatterGatherReduction({ cluster, data, mapFn: bracket, combineFn: list, reduceFn: pair, chunkSize: 4 }),
  ).toBe('(([1 2 3 4] [5 6 7 8]) [9 10])')
})

test('sums of floating-point numbers are those of the declared order, of lists and typed arrays alike', async () => {
  await using cluster = createInlineCluster()
  const data = Float64Array.from({ length: 1_000 }, (_, k) => 1 / (k + 1) ** 2)
  const progress: number[] = []
  const sum = await scatterGatherReduction<number, number>({
    ...{ cluster, data, mapFn: identity, reduceFn: add, chunkSize: 10 },
    onProgress: ({ done, total }) => progress.push(done / total),
  })
  let level = Array.from({ length: 100 }, (_, k) => data.slice(10 * k, 10 * k + 10).reduce((a, b) => a + b))
  while (level.length > 1)
    level = level.flatMap((x, k) => (k % 2 ? [] : [k + 1 < level.length ? x + level[k + 1]! : x]))

  expect(sum).toBe(level[0])
  expect(progress.at(-1)).toBe(1)
  expect(
    await scatterGatherReduction({ cluster, data: [...data], mapFn: identity, reduceFn: add, chunkSize: 10 }),
  ).toBe(sum)
})

test('a single item is mapped and nothing more', async () => {
  await using cluster = createInlineCluster()
  expect(await scatterGatherReduction({ cluster, data: [7], mapFn: bracket, reduceFn: pair })).toBe('7')
})

test('an item that fails is named', async () => {
  await using cluster = createInlineCluster()
  const run = scatterGatherReduction({ cluster, data: [0, 2, 3], mapFn: squareUnlessOdd, reduceFn: add, chunkSize: 2 })
  await expect(run).rejects.toThrow('item 2 of the data: RangeError: 3 is odd')
})

test('no data, and chunks of nothing, are refused', async () => {
  await using cluster = createInlineCluster()
  const run = { cluster, mapFn: identity, reduceFn: add }
  await expect(scatterGatherReduction({ ...run, data: [] })).rejects.toThrow('there is no data')
  await expect(scatterGatherReduction({ ...run, data: [1], chunkSize: 0 })).rejects.toThrow('chunkSize is 0')
})
