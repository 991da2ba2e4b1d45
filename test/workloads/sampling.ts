import { type Cluster, task } from 'costate'
import { distributeComputation, haltonPoints, latinHypercube, sobolPoints } from 'costate/primitives'

import type { Workload } from './workload.js'

interface Order {
  readonly start: number
  readonly n: number
  readonly d: number
}

/** Points of a sequence, each computed directly. */
export const halton = task(import.meta, 'halton', ({ start, n, d }: Order) => haltonPoints(n, d, start))
export const sobol = task(import.meta, 'sobol', ({ start, n, d }: Order) => sobolPoints(n, d, { start }))

/** The sum of Sobol's g-function over points of the sequence. */
export const sumOfG = task(import.meta, 'sumOfG', ({ start, n, d }: Order) => {
  const a = [0, 1, 4.5, 9, 99, 99]
  const g = (x: Float64Array): number =>
    x.reduce((product, u, j) => (product * (Math.abs(4 * u - 2) + a[j]!)) / (1 + a[j]!), 1)
  return sobolPoints(n, d, { start }).reduce((sum, point) => sum + g(point), 0)
})

export const hypercube = task(import.meta, 'hypercube', ({ n, d, seed }: { n: number; d: number; seed: number }) =>
  latinHypercube(n, d, seed),
)

const asLists = (points: readonly Float64Array[]): number[][] => points.map((point) => [...point])

/** Orders for so many points, in pieces. */
function pieces(total: number, size: number, d: number): Order[] {
  return Array.from({ length: total / size }, (_, k) => ({ start: k * size, n: size, d }))
}

async function answerHalton(cluster: Cluster): Promise<Record<string, unknown>> {
  const parts = await distributeComputation(halton, [...pieces(10, 5, 3), { start: 123_456, n: 1, d: 3 }], cluster)
  return { points: asLists(parts.slice(0, 2).flat()), i123456: [...parts[2]![0]!] }
}

async function answerSobol(cluster: Cluster): Promise<Record<string, unknown>> {
  const single = [10_000, 16_383].map((start) => ({ start, n: 1, d: 6 }))
  const parts = await distributeComputation(sobol, [...pieces(16, 4, 6), ...single], cluster)
  const sums = await distributeComputation(sumOfG, pieces(16_384, 2_048, 6), cluster)
  const [first, last] = parts.slice(4).map((points) => [...points[0]!])
  const qmc = sums.reduce((sum, part) => sum + part, 0) / 16_384
  return { points: asLists(parts.slice(0, 4).flat()), point_10000: first, point_16383: last, qmc_mean: qmc }
}

async function answerHypercube(cluster: Cluster): Promise<Record<string, unknown>> {
  const cases = [
    { seed: 7, n: 8, d: 3 },
    { seed: 99, n: 1_000, d: 10 },
  ]
  const [small, large] = await distributeComputation(hypercube, cases, cluster)
  const sums = large!.map((point) => point.reduce((sum, u) => sum + u, 0))
  return {
    seed7_N8_d3: asLists(small!),
    seed99_mean_of_sum: sums.reduce((sum, value) => sum + value, 0) / sums.length,
    seed99_row_0: [...large![0]!],
    seed99_row_999: [...large![999]!],
  }
}

export const samplingWorkloads: readonly Workload[] = [
  { name: 'sampling-halton', section: 'sampling', answer: answerHalton },
  { name: 'sampling-sobol-joe-kuo', section: 'sampling', answer: answerSobol },
  { name: 'sampling-latin-hypercube', section: 'sampling', answer: answerHypercube },
]
