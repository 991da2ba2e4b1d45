import { expect, test } from 'vitest'

import { createInlineCluster } from '#libs/client'

import {
  distributedCrossValidation,
  distributedOptimization,
  monteCarlo,
  parameterSweep,
  polynomialChaos,
  scatterGatherReduction,
} from './index.js'
import { square } from './tasks.fixture.js'

const plain = (async () => 1) as never
const cluster = createInlineCluster()

test.each<[string, () => Promise<unknown>]>([
  ['monteCarlo: sample', () => monteCarlo({ cluster, sample: plain, n: 10 })],
  [
    'distributedOptimization: objective',
    () => distributedOptimization({ cluster, objective: plain, parameterRanges: { x: [0, 1] }, nSamples: 4 }),
  ],
  [
    'polynomialChaos: model',
    () => polynomialChaos({ cluster, model: plain, inputs: { x: { distribution: 'normal', mean: 0, std: 1 } } }),
  ],
  [
    'distributedCrossValidation: modelFn',
    () => distributedCrossValidation({ cluster, modelFn: plain, trainFn: plain, evaluateFn: plain, data: [1, 2] }),
  ],
  [
    'scatterGatherReduction: mapFn',
    () => scatterGatherReduction({ cluster, data: [1, 2], mapFn: plain, reduceFn: plain }),
  ],
])('%s that is no task is refused by the name of the option', async (what, call) => {
  await expect(call()).rejects.toThrow(`${what} must be a task, got the function plain; declare it in a module`)
})

test('a reduction without a reducer says so', async () => {
  const reduce = scatterGatherReduction({ cluster, data: [1, 2], mapFn: square, reduceFn: undefined as never })
  await expect(reduce).rejects.toThrow('scatterGatherReduction: reduceFn must be a task, got undefined')
})

test('a sweep over neither a grid nor a table says what it takes', async () => {
  const sweep = parameterSweep(square as never, { ranges: { x: [1] } } as never, { cluster })
  await expect(sweep).rejects.toThrow('parameterSweep: give what to sweep as { grid: … } or { table: […] }')
})
