import { type Cluster, task } from 'costate'
import { distributeComputation } from 'costate/primitives'

import { createRng } from '#libs/domain'

import type { Workload } from './workload.js'

type FunctionName = 'branin' | 'hartmann3'

/** Branin's function. */
export function branin(x: number, y: number): number {
  const bowl = y - (5.1 / (4 * Math.PI ** 2)) * x * x + (5 / Math.PI) * x - 6
  return bowl * bowl + 10 * (1 - 1 / (8 * Math.PI)) * Math.cos(x) + 10
}

const alpha = [1, 1.2, 3, 3.2]
const a = [
  [3, 10, 30],
  [0.1, 10, 35],
  [3, 10, 30],
  [0.1, 10, 35],
]
const p = [
  [0.3689, 0.117, 0.2673],
  [0.4699, 0.4387, 0.747],
  [0.1091, 0.8732, 0.5547],
  [0.0381, 0.5743, 0.8828],
]

/** Hartmann's function of three variables. */
export function hartmann3(x: readonly number[]): number {
  return -alpha.reduce(
    (sum, weight, i) => sum + weight * Math.exp(-x.reduce((d, value, j) => d + a[i]![j]! * (value - p[i]![j]!) ** 2, 0)),
    0,
  )
}

const problems = {
  branin: { stream: 1, bounds: [[-5, 10], [0, 15]], f: ([x = 0, y = 0]: readonly number[]) => branin(x, y) },
  hartmann3: { stream: 2, bounds: [[0, 1], [0, 1], [0, 1]], f: hartmann3 },
} as const satisfies Record<string, unknown>

interface Lot {
  readonly index: number
  readonly f: number
  readonly x: readonly number[]
  readonly sum: number
}

/** The best of samples `from` to `to`: sample i takes the blocks from i times their number on. */
export const bestSample = task(
  import.meta,
  'bestSample',
  ({ name, from, to }: { name: FunctionName; from: number; to: number }): Lot => {
    const { stream, bounds, f } = problems[name]
    const blocks = Math.ceil(bounds.length / 2)
    let best: Omit<Lot, 'sum'> = { index: -1, f: Infinity, x: [] }
    let sum = 0
    for (let index = from; index < to; index++) {
      const rng = createRng(4_242, stream, 2 * blocks * index)
      const x = bounds.map(([low, high]) => low + (high - low) * rng.uniform())
      const value = f(x)
      sum += value
      if (value < best.f) best = { index, f: value, x }
    }
    return { ...best, sum }
  },
)

/** A row of the grid: the best place, and how many values lie below 1. */
export const gridRow = task(import.meta, 'gridRow', (i: number) => {
  const values = Array.from({ length: 301 }, (_, j) => branin(-5 + (15 * i) / 300, (15 * j) / 300))
  const f = Math.min(...values)
  return { f, j: values.indexOf(f), below: values.filter((value) => value < 1).length }
})

async function answerSearch(cluster: Cluster): Promise<Record<string, unknown>> {
  const search = async (name: FunctionName) => {
    const lots = Array.from({ length: 10 }, (_, k) => ({ name, from: 2_000 * k, to: 2_000 * (k + 1) }))
    const found = await distributeComputation(bestSample, lots, cluster)
    const best = found.reduce((one, other) => (other.f < one.f ? other : one))
    const mean = found.reduce((sum, lot) => sum + lot.sum, 0) / 20_000
    return { best_index: best.index, best_f: best.f, best_x: best.x, mean_f: mean }
  }
  const rows = await distributeComputation(gridRow, Array.from({ length: 301 }, (_, i) => i), cluster)
  const f = Math.min(...rows.map((row) => row.f))
  const i = rows.findIndex((row) => row.f === f)
  const below = rows.reduce((sum, row) => sum + row.below, 0)
  return {
    ...{ branin: await search('branin'), hartmann3: await search('hartmann3') },
    grid: { i, j: rows[i]!.j, f, count_below_1: below },
  }
}

/** An offspring of the specified evolution strategy, and its value on the sphere. */
export const offspring = task(
  import.meta,
  'offspring',
  ({ stream, mean, sigma }: { stream: number; mean: Float64Array; sigma: number }) => {
    const rng = createRng(31, stream)
    const x = mean.map((value) => value + sigma * rng.normal())
    return { x, f: x.reduce((sum, value) => sum + value * value, 0) }
  },
)

async function answerStrategy(cluster: Cluster): Promise<Record<string, unknown>> {
  const [lambda, mu] = [12, 3]
  let mean = new Float64Array(5).fill(2)
  const best: number[] = []
  for (let g = 0; g < 120; g++) {
    const sigma = 0.95 ** g
    const orders = Array.from({ length: lambda }, (_, i) => ({ stream: g * lambda + i, mean, sigma }))
    const born = await distributeComputation(offspring, orders, cluster)
    const chosen = born.map((child, i) => ({ ...child, i })).sort((one, other) => one.f - other.f || one.i - other.i)
    mean = mean.map((_, j) => chosen.slice(0, mu).reduce((sum, { x }) => sum + x[j]!, 0) / mu)
    if ([0, 10, 50, 119].includes(g)) best.push(chosen[0]!.f)
  }
  return { m_final: [...mean], best_f_at_generations_0_10_50_119: best }
}

export const optimisationWorkloads: readonly Workload[] = [
  { name: 'bbo-random-and-grid-search', section: 'optimisation', answer: answerSearch },
  { name: 'bbo-specified-es', section: 'optimisation', answer: answerStrategy },
]
