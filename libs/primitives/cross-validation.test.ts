import { expect, test } from 'vitest'

import { createInlineCluster } from '#libs/client'
import { NdArray } from '#libs/task'

import { takeRows } from './dataset.js'
import { distributedCrossValidation, divideRows } from './index.js'
import { createModel, squaredError, trainMean } from './tasks.fixture.js'

const functions = { modelFn: createModel, trainFn: trainMean, evaluateFn: squaredError }

test('each fold trains on the other rows and is scored on its own', async () => {
  await using cluster = createInlineCluster()
  const data = { x: [0, 1, 2, 3], y: Float64Array.of(1, 3, 5, 9) }
  const { scores, mean, std, folds } = await distributedCrossValidation({ cluster, ...functions, data, nFolds: 2 })

  // The mean of (5, 9) is 7, against 1 and 3: (36 + 16) / 2; that of (1, 3) is 2, against 5 and 9: (9 + 49) / 2.
  expect(scores).toEqual([26, 29])
  expect(mean).toBe(27.5)
  expect(std).toBeCloseTo(Math.sqrt(4.5), 12)
  expect(folds).toMatchObject([
    { fold: 0, score: 26, trainRows: 2, testRows: Uint32Array.of(0, 1) },
    { fold: 1, score: 29, trainRows: 2, testRows: Uint32Array.of(2, 3) },
  ])
})

test('folds are blocks whose sizes differ by at most one', () => {
  const sizes = divideRows(10, { nFolds: 4 }).map(({ test: rows }) => [...rows])
  expect(sizes).toEqual([
    [0, 1, 2],
    [3, 4, 5],
    [6, 7],
    [8, 9],
  ])
})

test('shuffled folds hold every row once, the same for the same seed', () => {
  const rows = (seed: number): number[][] =>
    divideRows(20, { nFolds: 3, shuffle: true, seed }).map(({ test: own }) => [...own])
  expect(
    rows(1)
      .flat()
      .sort((a, b) => a - b),
  ).toEqual(Array.from({ length: 20 }, (_, k) => k))
  expect(rows(1)).toEqual(rows(1))
  expect(rows(1)).not.toEqual(rows(2))
})

test('stratified folds have their share of every class', () => {
  const labels = [...Array<string>(12).fill('a'), ...Array<string>(5).fill('b')]
  for (const { test: rows, train } of divideRows(17, { nFolds: 4, labels, shuffle: true, seed: 5 })) {
    const inTest = [...rows].filter((row) => labels[row] === 'a').length
    expect(inTest).toBe(3)
    expect(rows.length - inTest).toBeGreaterThanOrEqual(1)
    expect(rows.length - inTest).toBeLessThanOrEqual(2)
    expect(rows.length + train.length).toBe(17)
  }
})

test.each([
  [5, { nFolds: 6 }, '6 folds of 5 rows'],
  [5, { nFolds: 1 }, 'nFolds is 1'],
  [3, { nFolds: 2, labels: [1, 1] }, '2 labels for 3 rows'],
  [3, { nFolds: 2, labels: [1, 1, 2] }, 'class 2 has 1 rows, too few for 2'],
])('folds that make no sense are refused', (rows, options, message) => {
  expect(() => divideRows(rows, options)).toThrow(message)
})

test('stratified without classes, and data that does not fit, are refused', async () => {
  await using cluster = createInlineCluster()
  const rows = [1, 2, 3, 4] as never
  await expect(
    distributedCrossValidation({ cluster, ...functions, data: rows, nFolds: 2, stratified: true }),
  ).rejects.toThrow('stratified needs the classes of the rows')
  const data = { x: [1], y: Float64Array.of(1, 2) }
  await expect(distributedCrossValidation({ cluster, ...functions, data, nFolds: 2 })).rejects.toThrow(
    '1 rows in x and 2 answers in y',
  )
})

test('rows of a matrix stay a matrix, of its own type', () => {
  const x = new NdArray(Float32Array.of(1, 2, 3, 4, 5, 6), [3, 2])
  expect(takeRows({ x, y: Int32Array.of(7, 8, 9) }, Uint32Array.of(2, 0))).toEqual({
    x: new NdArray(Float32Array.of(5, 6, 1, 2), [2, 2]),
    y: Int32Array.of(9, 7),
  })
})
