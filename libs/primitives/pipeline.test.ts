import { beforeEach, expect, test } from 'vitest'

import { createInlineCluster } from '#libs/client'

import { checkpointComputation, pipeline } from './index.js'
import { both, counted, last, load, nothing, runs, square, squareUnlessOdd, sum } from './tasks.fixture.js'

beforeEach(() => runs.clear())

const branches = [
  load,
  { name: 'total', task: sum },
  { name: 'end', task: last, after: 'load' },
  { name: 'report', task: both, after: ['total', 'end'] },
] as const

test('a chain hands each result to the next stage', async () => {
  await using cluster = createInlineCluster()
  const seen: number[] = []
  const result = await pipeline([load, sum, { name: 'squared', task: square }], 5, {
    cluster,
    onProgress: ({ done, total }) => seen.push(done / total),
  })

  expect(result).toBe(100)
  expect(seen.at(-1)).toBe(1)
})

test('branches take what they say, and a join takes one argument of each', async () => {
  await using cluster = createInlineCluster()
  expect(await pipeline(branches, 4, { cluster })).toEqual([6, 3])
})

test('a pipeline that failed goes on at the first missing stage', async () => {
  await using cluster = createInlineCluster()
  const options = { cluster, persistIntermediate: true, name: 'study' }
  runs.set('broken', 1)
  await expect(pipeline(branches, 4, options)).rejects.toThrow('both is broken')
  runs.delete('broken')

  expect(await pipeline(branches, 4, options)).toEqual([6, 3])
  expect(Object.fromEntries(runs)).toEqual({ load: 1, sum: 1, last: 1, both: 2 })
  expect(await pipeline(branches, 4, options)).toEqual([6, 3])
  expect(runs.get('both')).toBe(2)
  // Other data: nothing that was kept is of use.
  expect(await pipeline(branches, 3, options)).toEqual([3, 2])
  expect(runs.get('load')).toBe(2)
})

test('a stage that returns nothing is named', async () => {
  await using cluster = createInlineCluster()
  await expect(pipeline([nothing, square], 1, { cluster })).rejects.toThrow('stage nothing returned nothing')
})

test('stages that make no sense are refused', async () => {
  await using cluster = createInlineCluster()
  await expect(pipeline([], 1, { cluster })).rejects.toThrow('there are no stages')
  await expect(pipeline([square, square], 1, { cluster })).rejects.toThrow('two stages are named square')
  await expect(pipeline([{ task: square, after: 'sqare' }], 1, { cluster })).rejects.toThrow(
    'stage square comes after sqare, which is no stage before it; before it: none',
  )
})

test('what was computed once is given back, until the inputs change or it is forced', async () => {
  await using cluster = createInlineCluster()
  const compute = (x: number, force = false): Promise<number> =>
    checkpointComputation(counted, [x], { cluster, name: 'studies/double', force })

  expect([await compute(4), await compute(4)]).toEqual([8, 8])
  expect(runs.get('counted')).toBe(1)
  expect(await compute(5)).toBe(10)
  expect(await compute(5, true)).toBe(10)
  expect(runs.get('counted')).toBe(3)
})

test('what failed is not kept, and a future is no input that can be compared', async () => {
  await using cluster = createInlineCluster()
  const options = { cluster, name: 'odd' }
  await expect(checkpointComputation(squareUnlessOdd, [1], options)).rejects.toThrow('1 is odd')
  expect(await cluster.checkpoints.load('odd')).toBeUndefined()
  const future = cluster.submit(square, 1)
  await expect(checkpointComputation(square, [future as never], options)).rejects.toThrow(
    'a future or a scattered object cannot be compared',
  )
  await expect(checkpointComputation(square, [1], { cluster, name: '../x' })).rejects.toThrow("has the segment '..'")
})
