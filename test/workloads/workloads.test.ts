import { readdir } from 'node:fs/promises'

import { createInlineCluster } from 'costate'
import { expect, test } from 'vitest'

import { workloads } from './index.js'
import { judge, keysForPeople } from './judgement.js'
import { readReference } from './reference-files.js'
import { countEvaluations, type StartName } from './standard-functions.js'

/** Fast ones of every section; all of them are `make answers`. */
const fast = new Set([
  ...[
    'oc-goddard-rocket-cops',
    'oc-zermelo-shear',
    'oc-rayleigh',
    'lqr-dare-darex',
    'mpc-bemporad-2002',
    'ilqr-pendulum-swing-up',
  ],
  ...['mc-ornstein-uhlenbeck', 'pce-exp-gaussian', 'bbo-random-and-grid-search', 'bbo-specified-es'],
  ...[
    'cv-knn-iris',
    'cv-ridge-diabetes',
    'pca-wine',
    'ft-flaky-map',
    'mr-word-count-gpl3',
    'dag-edit-distance-wavefront',
  ],
  ...[
    'la-blocked-cholesky',
    'la-tsqr',
    'la-fft-parseval',
    'sampling-halton',
    'sampling-latin-hypercube',
    'rng-philox4x32-10',
  ],
  ...['nn-ensemble-two-moons', 'nn-hyperparameter-grid', 'sweep-logistic-map', 'sweep-pendulum-period'],
])

test.each(workloads.filter(({ name }) => fast.has(name)))(
  '$name has the answer of its reference',
  async (workload) => {
    await using cluster = createInlineCluster()
    expect(judge(await readReference(workload.name), await workload.answer(cluster))).toEqual([])
  },
  300_000,
)

test('every problem of the collection is answered, and two of every section are among the fast ones', async () => {
  const files = await readdir(new URL('./references/', import.meta.url))
  const names = files.map((file) => file.replace('.json', ''))
  expect(workloads.map(({ name }) => name).sort()).toEqual(names.sort())
  for (const section of new Set(workloads.map((workload) => workload.section))) {
    const chosen = workloads.filter((workload) => workload.section === section && fast.has(workload.name))
    expect(chosen.length, section).toBeGreaterThanOrEqual(2)
  }
})

test('what a reference judges in words is only what the next test judges', async () => {
  const references = await Promise.all(workloads.map(({ name }) => readReference(name)))
  const names = references.filter((reference) => keysForPeople(reference).length > 0).map(({ name }) => name)
  expect(names).toEqual(['bbo-cma-es-counts'])
})

/** Where the median of the evaluations must lie, and how many of the runs must come to 1e-9. */
const bands: readonly [StartName, least: number, most: number, share: number][] = [
  ['sphere10', 665, 3_180, 0.8],
  ['elli10', 2_660, 12_260, 0.8],
  ['ros10', 2_565, 14_020, 0.7],
  ['ros2', 258, 2_124, 0.8],
  ['ackley10', 1_510, 6_880, 0.8],
]
test.each(bands)(
  'CMA-ES on %s: the median of nine runs lies within %d and %d evaluations',
  async (name, least, most, share) => {
    await using cluster = createInlineCluster()
    const counts = (await countEvaluations(cluster, name, [1, 2, 3, 4, 5, 6, 7, 8, 9])).sort((a, b) => a - b)
    expect(counts[4]).toBeGreaterThanOrEqual(least)
    expect(counts[4]).toBeLessThanOrEqual(most)
    expect(counts.filter(Number.isFinite).length / 9).toBeGreaterThanOrEqual(share)
  },
  300_000,
)

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

test('tolerances of the largest entry, of all keys at once, and of parts of a key', () => {
  const large = { name: 'w', reference: { X: [1000, 1] }, tolerance: { X: { rel: 1e-3, of: 'max |X|' } } }
  expect(judge(large, { X: [1000, 1.9] })).toEqual([])
  expect(judge(large, { X: [1000, 2.1] })).toHaveLength(1)
  const all = { name: 'w', reference: { a: 1, b: 2 }, tolerance: { rel: 0.1 } }
  expect(judge(all, { a: 1.05 })).toEqual([])
  expect(judge(all, { b: 3 })).toHaveLength(1)
  const parts = {
    name: 'w',
    reference: { p: { a: 1, b: 2 } },
    tolerance: { p: { a: 'exact (or nearly)', b: { abs: 1 } } },
  }
  expect(judge(parts, { p: { a: 1, b: 2.5 } })).toEqual([])
  expect(judge(parts, { p: { a: 2, b: 2.5 } })).toHaveLength(1)
  expect(judge(parts, { p: { a: 1 } })).toHaveLength(1)
})
