import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'

import { expect, test } from 'vitest'

import { completeWorkflow } from './complete-workflow/demo.js'
import type { Demo } from './demo/demo.js'
import { openSetting } from './demo/demo-setting.js'
import { judgeChecks } from './demo/judgement.js'
import { demos } from './demos.js'
import { faultTolerance } from './fault-tolerance/demo.js'
import { hyperparameterOptimisation } from './hyperparameter-optimisation/demo.js'
import { localCluster } from './local-cluster/demo.js'
import { mapReduce } from './map-reduce/demo.js'
import { parallelComputation } from './parallel-computation/demo.js'
import type { ParallelResult } from './parallel-computation/parallel-computation.js'
import { signalPipeline } from './pipeline/demo.js'

/** What a demo computes on an inline cluster, at its reduced size, and what it said on the way. */
async function computeInline<R>(demo: Demo<R>): Promise<{ result: R; said: string }> {
  const folder = await mkdtemp(path.join(tmpdir(), 'costate-test-'))
  let said = ''
  const write = (text: unknown): boolean => {
    said += String(text)
    return true
  }
  try {
    const flags = { inline: true, reduced: true, json: false }
    const setting = await openSetting(flags, folder, { write, isTTY: false, columns: 80 })
    return { result: await demo.compute(setting), said }
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

/** Runs it, expects it to be right and drawn; and that each change makes it wrong. */
async function judgeHonestly<R>(demo: Demo<R>, changes: Readonly<Record<string, (result: R) => R>>): Promise<void> {
  const { result, said } = await computeInline(demo)
  expect(judgeChecks(demo.check(result)).reasons).toEqual([])
  expect(judgeChecks(demo.check(result)).isGood).toBe(true)
  expect(said).toContain('inline, as asked for')
  for (const [name, , note] of demo.tiles(result)) expect(`${name} ${note}`).not.toMatch(/NaN|undefined/)
  for (const { text } of demo.pictures(result)) {
    expect(text).toMatch(/<svg[^]*<\/svg>/)
    expect(text).not.toMatch(/NaN|undefined|no data for this figure/)
  }
  const stillRight = Object.entries(changes).filter(([, change]) => judgeChecks(demo.check(change(result))).isGood)
  expect(stillRight.map(([name]) => name)).toEqual([])
}

const put = <T>(items: ArrayLike<T>, index: number, item: T): T[] =>
  Array.from(items, (known, k) => (k === index ? item : known))

test('a local cluster: right, and wrong when a period is', async () => {
  await judgeHonestly(localCluster, {
    'a period': (result) => ({ ...result, found: put(result.found, 3, result.found[3]! * (1 + 2e-8)) }),
    'a period that is missing': (result) => ({ ...result, found: result.found.slice(1) }),
    'the longest': (result) => ({ ...result, longest: NaN }),
  })
})

test('a parallel computation: right, and wrong when a tile is', async () => {
  const change =
    (by: Partial<ParallelResult['tiles'][number]>) =>
    (result: ParallelResult): ParallelResult => ({
      ...result,
      tiles: put(result.tiles, 0, { ...result.tiles[0]!, ...by }),
    })
  await judgeHonestly(parallelComputation, {
    'a tile': change({ total: 1 }),
    'cells in the set': change({ inSet: 1 }),
    'the area': change({ fineInSet: 1e6 }),
    'a tile that is missing': (result) => ({ ...result, tiles: result.tiles.slice(1) }),
  })
})

test('hyperparameter optimisation: right, and wrong when a loss is, or the best is no better', async () => {
  await judgeHonestly(hyperparameterOptimisation, {
    'a loss': (result) => ({
      ...result,
      grid: put(result.grid, 4, { ...result.grid[4]!, value: result.grid[4]!.value + 1e-6 }),
    }),
    'the best of the grid': (result) => ({ ...result, bestOfGrid: { hidden: 8, rate: 1 } }),
    'the best of the search': (result) => ({ ...result, bestValue: 0.19 }),
  })
})

test('a pipeline: right, and wrong when a stage is, or was computed twice', async () => {
  const { computed, ...rest } = (await computeInline(signalPipeline)).result
  expect([computed, rest.isKept]).toEqual([[3, 6], false])
  await judgeHonestly(signalPipeline, {
    'the end': ({ report, ...others }) => ({
      ...others,
      report: { ...report, peak: { ...report.peak, last: report.peak.last + 1e-8 } },
    }),
    'the sum': ({ report, ...others }) => ({ ...others, report: { ...report, total: report.total + 1e-7 } }),
    'a bin': ({ report, ...others }) => ({
      ...others,
      report: { ...report, histogram: { ...report.histogram, '6': 3 } },
    }),
    'a bin that should not be': ({ report, ...others }) => ({
      ...others,
      report: { ...report, histogram: { ...report.histogram, '9': 1 } },
    }),
    'stages computed again': (result) => ({ ...result, isKept: true, computed: [3, 6] }),
  })
})

test('map and reduce: right, and wrong when a count is', async () => {
  await judgeHonestly(mapReduce, {
    'a count': ({ census, ...others }) => ({
      ...others,
      census: { ...census, belowPowers: put(census.belowPowers, 5, census.belowPowers[5]! - 1) },
    }),
    'the sum': ({ census, ...others }) => ({
      ...others,
      census: { ...census, sumBelow2Million: census.sumBelow2Million + 1 },
    }),
    'the twins': ({ census, ...others }) => ({
      ...others,
      census: { ...census, gaps: { ...census.gaps, '2': 8_168 } },
    }),
    'a gap': ({ census, ...others }) => ({ ...others, census: { ...census, gaps: { ...census.gaps, '116': 1 } } }),
  })
})

test('fault tolerance: right, and wrong when an answer is, or nothing was interrupted', async () => {
  await judgeHonestly(faultTolerance, {
    'a prime': (result) => ({ ...result, tested: put(result.tested, 1, { ...result.tested[1]!, isPrime: true }) }),
    'a residue': (result) => ({
      ...result,
      tested: put(result.tested, 0, { ...result.tested[0]!, residues: { ...result.tested[0]!.residues, '1500': '0' } }),
    }),
    'nobody went on': (result) => ({
      ...result,
      tested: result.tested.map((one) => ({ ...one, legs: one.legs.slice(-1) })),
    }),
    'an attempt that began anew': (result) => ({
      ...result,
      tested: result.tested.map((one) => ({ ...one, legs: one.legs.map((leg) => ({ ...leg, from: 0 })) })),
    }),
    'no kill where there are workers': (result) => ({ ...result, isInline: false, kill: undefined }),
  })
})

test('the complete workflow: right, and wrong when a part is', async () => {
  await judgeHonestly(completeWorkflow, {
    'the cost': (result) => ({ ...result, plan: { ...result.plan, cost: result.plan.cost * (1 + 1e-7) } }),
    'a torque': (result) => ({
      ...result,
      plan: { ...result.plan, u: result.plan.u.map((torque, k) => torque + (k === 7 ? 2e-4 : 0)) },
    }),
    'the last state': (result) => ({
      ...result,
      plan: { ...result.plan, x: result.plan.x.map((value) => value + 2e-5) },
    }),
    'a gain': (result) => ({ ...result, gains: result.gains.map((gain) => gain * (1 + 1e-8)) }),
    'the mean of the polynomial': (result) => ({ ...result, chaos: { ...result.chaos, mean: result.chaos.mean + 1 } }),
    'its spread': (result) => ({ ...result, chaos: { ...result.chaos, variance: result.chaos.variance * 1.5 } }),
    'the plants': (result) => ({
      ...result,
      before: { ...result.before, costs: result.before.costs.map((cost) => cost + 1e-9) },
    }),
    'a tuning that did not help': (result) => ({
      ...result,
      after: { ...result.after, costs: result.before.costs.map((cost) => cost + 1) },
    }),
  })
})

test('there are seven demos, each with a name of its own and a program to read', () => {
  expect(demos.map(({ name }) => name)).toEqual([
    ...['local-cluster', 'parallel-computation', 'hyperparameter-optimisation', 'pipeline'],
    ...['map-reduce', 'fault-tolerance', 'complete-workflow'],
  ])
  for (const { name, source } of demos) expect(source).toBe(`libs/demos/${name}/${name}.ts`)
})
