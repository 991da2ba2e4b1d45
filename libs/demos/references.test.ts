import { expect, test } from 'vitest'

import { readRows } from '../../test/workloads/data-files.js'
import { readReference } from '../../test/workloads/reference-files.js'
import { published } from './complete-workflow/complete-workflow.js'
import { publishedExponents, publishedResidues } from './fault-tolerance/fault-tolerance.js'
import { publishedLosses } from './hyperparameter-optimisation/hyperparameter-optimisation.js'
import { training, validation } from './hyperparameter-optimisation/two-moons.js'
import { publishedPeriods } from './local-cluster/local-cluster.js'
import { publishedCounts } from './map-reduce/map-reduce.js'
import { publishedInSet, publishedTotals } from './parallel-computation/parallel-computation.js'
import { publishedHistogram } from './pipeline/pipeline.js'

/** Demos are shipped without the collection of references: what they say of it must be what it says. */
const referenceOf = async (workload: string): Promise<Record<string, never>> =>
  (await readReference(workload)).reference as Record<string, never>

test('what demos call published is what the references say', async () => {
  expect(publishedPeriods).toEqual((await referenceOf('sweep-pendulum-period'))['period'])

  const mandelbrot = await referenceOf('map-mandelbrot-tiles')
  expect(publishedTotals).toEqual((mandelbrot['tile_totals']! as number[][]).flat())
  expect(publishedInSet).toBe(mandelbrot['in_set'])

  const { grid } = (await referenceOf('nn-hyperparameter-grid')) as unknown as { grid: { val_loss: number }[] }
  expect(publishedLosses).toEqual(grid.map(({ val_loss }) => val_loss))

  expect(publishedHistogram).toEqual((await referenceOf('pipeline-signal'))['histogram'])

  const primes = await referenceOf('mr-primes-segmented')
  expect(publishedCounts.slice(5)).toEqual([primes['pi_1e6'], primes['pi_1e7']])

  const { prime_exponents: exponents, residues_p2203: residues } = (await referenceOf(
    'ckpt-lucas-lehmer',
  )) as unknown as {
    prime_exponents: number[]
    residues_p2203: Record<string, string>
  }
  expect(publishedExponents.filter((p) => p <= 2_281)).toEqual(exponents.filter((p) => p >= 2_000))
  expect(residues).toMatchObject(publishedResidues)

  const swingUp = await referenceOf('ilqr-pendulum-swing-up')
  expect(published).toEqual({ cost: swingUp['J'], torques: swingUp['u'], last: swingUp['x_N'] })
})

test('the two moons are those of the data set', async () => {
  const rows = await readRows('two-moons.csv')
  const kept = rows.filter((_, i) => i % 4 === 0)
  expect([...validation.x]).toEqual(kept.flatMap((row) => row.slice(0, 2)))
  expect([...validation.y]).toEqual(kept.map((row) => row[2]))
  expect(training.y.length + validation.y.length).toBe(rows.length)
})
