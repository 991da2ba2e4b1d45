import { createInlineCluster } from 'costate'
import { expect, test } from 'vitest'

import { workloads } from './index.js'
import { judge } from './judgement.js'
import { readReference } from './reference-files.js'

/** Fast ones of every section; all of them are `make answers`. */
const fast = new Set([
  ...['sampling-halton', 'sampling-latin-hypercube', 'mc-ornstein-uhlenbeck', 'pce-exp-gaussian'],
  ...['bbo-random-and-grid-search', 'bbo-specified-es', 'cv-knn-iris', 'ft-flaky-map'],
])

test.each(workloads.filter(({ name }) => fast.has(name)))('$name has the answer of its reference', async (workload) => {
  await using cluster = createInlineCluster()
  expect(judge(await readReference(workload.name), await workload.answer(cluster))).toEqual([])
})

const reference = {
  name: 'w',
  reference: { exact: [1, 'a'], near: { x: 2, y: [3] }, free: 0 },
  tolerance: { exact: 'exact', near: { rel: 0.1 } },
} as const

test('an answer within its tolerance is right', () => {
  expect(judge(reference, { exact: [1, 'a'], near: { x: 2.1, y: [2.8] } })).toEqual([])
})

test('what is wrong, missing, too long or unknown is named', () => {
  expect(judge(reference, { exact: [1, 'b'], near: { x: 3, y: [3] } })).toHaveLength(2)
  expect(judge(reference, { exact: [1, 'a'] })).toEqual(['w: near is missing'])
  expect(judge(reference, { exact: [1, 'a', 2], near: { x: NaN, y: [3] } })).toHaveLength(2)
  expect(judge(reference, { exact: [1, 'a'], near: { x: 2, y: [3] }, other: 1 })).toEqual([
    'w: other is no key of the reference',
  ])
})
