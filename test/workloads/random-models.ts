import { type Cluster, task, type TaskContext } from 'costate'
import {
  brysonDenham,
  denseMatrix,
  discretizeLinear,
  integrateFixed,
  solveContinuousLyapunov,
  solveOptimalControl,
} from 'costate/control'
import {
  aggregateStatistics,
  distributeComputation,
  monteCarlo,
  scatterGatherReduction,
  sobolPoints,
} from 'costate/primitives'
import { Matrix } from 'ml-matrix'

import { createRng } from '#libs/domain'

import { range, sum } from './data-files.js'
import { leastTime } from './optimal-control/double-integrators.js'
import type { Workload } from './workload.js'

const option = { spot: 100, strike: 100, rate: 0.05, sigma: 0.2, time: 1 }
const paths = 200_000

/** Number, mean and squares about it of the discounted pay-offs of a chunk of paths. */
interface Lot {
  readonly n: number
  readonly mean: number
  readonly squares: number
}

export const payoffs = task(import.meta, 'payoffs', async (chunk: number): Promise<Lot> => {
  const n = paths / 40
  const { spot, strike, rate, sigma, time } = option
  const drift = (rate - sigma ** 2 / 2) * time
  const values = createRng(2_718, 0, chunk * n)
    .normals(n)
    .map((z) => Math.exp(-rate * time) * Math.max(0, spot * Math.exp(drift + sigma * Math.sqrt(time) * z) - strike))
  const mean = sum(values) / n
  return { n, mean, squares: sum(values.map((value) => (value - mean) ** 2)) }
})
export const mergePayoffs = task(import.meta, 'mergePayoffs', async (a: Lot, b: Lot): Promise<Lot> => {
  const n = a.n + b.n
  const delta = b.mean - a.mean
  return { n, mean: a.mean + (delta * b.n) / n, squares: a.squares + b.squares + (delta * delta * a.n * b.n) / n }
})

/** The normal distribution, by integrating its density from 0. */
export const normalProbability = task(import.meta, 'normalProbability', async (x: number) => {
  const density = (_t: number, _x: Float64Array, out: Float64Array): void => {
    out[0] = Math.exp(-(_t ** 2) / 2) / Math.sqrt(2 * Math.PI)
  }
  return 0.5 + integrateFixed(density, { from: 0, to: x }, Float64Array.of(0), 400).x.at(-1)!
})

async function answerBlackScholes(cluster: Cluster): Promise<Record<string, unknown>> {
  const { spot, strike, rate, sigma, time } = option
  const lot = await scatterGatherReduction({
    cluster,
    data: range(0, 40),
    mapFn: payoffs,
    reduceFn: mergePayoffs,
    chunkSize: 1,
  })
  const d1 = (Math.log(spot / strike) + (rate + sigma ** 2 / 2) * time) / (sigma * Math.sqrt(time))
  const [delta, second] = await distributeComputation(normalProbability, [d1, d1 - sigma * Math.sqrt(time)], cluster)
  const discounted = strike * Math.exp(-rate * time)
  return {
    ...{ price: lot.mean, delta, put: discounted * (1 - second!) - spot * (1 - delta!) },
    ...{ specified_mc: lot.mean, specified_stderr: Math.sqrt(lot.squares / lot.n / lot.n) },
  }
}

const oscillator = {
  A: [
    [0, 1],
    [-2, -0.6],
  ],
  b: [0, 0.7],
  x0: [1, 0],
  time: 2,
  steps: 100,
} as const

/** Means and covariances in closed form: at the end, in the long run, and of Euler and Maruyama's steps. */
export const oscillatorMoments = task(import.meta, 'oscillatorMoments', async () => {
  const { A, b, x0, time, steps } = oscillator
  const W = denseMatrix(b.map((row) => b.map((column) => row * column)))
  const { A: phi, noise } = discretizeLinear({ A: denseMatrix(A), B: denseMatrix([[0], [0]]), W }, time)
  const rows = (values: Float64Array): number[][] => [
    [values[0]!, values[1]!],
    [values[2]!, values[3]!],
  ]
  const dt = time / steps
  const step = Matrix.eye(2).add(new Matrix(A.map((row) => row.map((value) => value * dt))))
  const spread = new Matrix(rows(W)).mul(dt)
  let mean = Matrix.columnVector([...x0])
  let covariance = Matrix.zeros(2, 2)
  for (let k = 0; k < steps; k++) {
    mean = step.mmul(mean)
    covariance = step.mmul(covariance).mmul(step.transpose()).add(spread)
  }
  const transposed = denseMatrix([
    [A[0][0], A[1][0]],
    [A[0][1], A[1][1]],
  ])
  return {
    mean_exact: [phi[0]! * x0[0] + phi[1]! * x0[1], phi[2]! * x0[0] + phi[3]! * x0[1]],
    cov_exact: rows(noise),
    stationary_cov: rows(solveContinuousLyapunov(transposed, W)),
    mean_em: mean.to1DArray(),
    cov_em: covariance.to2DArray(),
  }
})

/** The place at the end of one path of Euler and Maruyama's. */
export const oscillatorPath = task(import.meta, 'oscillatorPath', (_: number, { rng }: TaskContext) => {
  const { A, b, x0, time, steps } = oscillator
  const dt = time / steps
  let [x, v] = x0 as readonly [number, number]
  for (let k = 0; k < steps; k++) {
    const push = b[1] * Math.sqrt(dt) * rng.normal()
    ;[x, v] = [x + v * dt, v + (A[1][0] * x + A[1][1] * v) * dt + push]
  }
  return x
})

async function answerOscillator(cluster: Cluster): Promise<Record<string, unknown>> {
  const moments = await cluster.submit(oscillatorMoments).result()
  const { mean, standardError } = await monteCarlo({ cluster, sample: oscillatorPath, n: 4_000, seed: 5 })
  // What the collection asks of a simulation.
  if (Math.abs(mean - moments.mean_em[0]!) > 5 * standardError)
    throw new Error(`paths end at ${mean}, not ${moments.mean_em[0]}`)
  return moments
}

const gWeights = [0, 1, 4.5, 9, 99, 99, 99, 99]
const gOf = (x: Float64Array): number =>
  x.reduce((product, u, j) => (product * (Math.abs(4 * u - 2) + gWeights[j]!)) / (1 + gWeights[j]!), 1)

/** Sums over points: of f(A), f(A)², and for each input of f(B)(f(A with B's input) - f(A)) and of (f(A) - f(A with B's input))². */
interface Sensitivity {
  readonly n: number
  readonly total: number
  readonly squares: number
  readonly first: readonly number[]
  readonly whole: readonly number[]
}

export const sensitivityOf = task(
  import.meta,
  'sensitivityOf',
  async ({ start, n }: { start: number; n: number }): Promise<Sensitivity> => {
    const d = gWeights.length
    const sums = { n, total: 0, squares: 0, first: new Array<number>(d).fill(0), whole: new Array<number>(d).fill(0) }
    for (const point of sobolPoints(n, 2 * d, { start })) {
      const [a, b] = [point.slice(0, d), point.slice(d)]
      const [fa, fb] = [gOf(a), gOf(b)]
      sums.total += fa
      sums.squares += fa * fa
      for (let j = 0; j < d; j++) {
        const mixed = gOf(a.map((value, k) => (k === j ? b[j]! : value)))
        sums.first[j]! += fb * (mixed - fa)
        sums.whole[j]! += (fa - mixed) ** 2
      }
    }
    return sums
  },
)
export const addSensitivities = task(
  import.meta,
  'addSensitivities',
  async (a: Sensitivity, b: Sensitivity): Promise<Sensitivity> => ({
    ...{ n: a.n + b.n, total: a.total + b.total, squares: a.squares + b.squares },
    ...{ first: a.first.map((value, j) => value + b.first[j]!), whole: a.whole.map((value, j) => value + b.whole[j]!) },
  }),
)

/** Saltelli's and Jansen's estimators (Saltelli et al., Comput. Phys. Commun. 181 (2010) 259). */
async function answerSobolG(cluster: Cluster): Promise<Record<string, unknown>> {
  const data = range(0, 16).map((k) => ({ start: k * 2_048, n: 2_048 }))
  const sums = await scatterGatherReduction({
    cluster,
    data,
    mapFn: sensitivityOf,
    reduceFn: addSensitivities,
    chunkSize: 1,
  })
  const mean = sums.total / sums.n
  const variance = sums.squares / sums.n - mean ** 2
  return {
    ...{ mean, variance, S: sums.first.map((value) => value / sums.n / variance) },
    ST: sums.whole.map((value) => value / (2 * sums.n) / variance),
  }
}

/** The least time of one mass, and the least effort below one bound. */
export const timeOfMass = task(import.meta, 'timeOfMass', async (mass: number) => {
  const { problem, options } = leastTime(1, 1, mass)
  return solveOptimalControl(problem, options).horizon
})
export const effortBelow = task(import.meta, 'effortBelow', async (stateBound: number) => {
  const { problem, intervals } = brysonDenham({ stateBound })
  return solveOptimalControl(problem, { intervals }).objective
})

/** The middles of equal parts of an interval: of equal probability, for what is uniform on it. */
const middles = (low: number, high: number, count: number): number[] =>
  range(0, count).map((k) => low + ((high - low) * (k + 0.5)) / count)

/** Gauss and Legendre's five nodes on [-1, 1] and their weights, in closed form. */
function fiveNodes(): { nodes: number[]; weights: number[] } {
  const root = Math.sqrt(10 / 7)
  const [near, far] = [Math.sqrt(5 - 2 * root) / 3, Math.sqrt(5 + 2 * root) / 3]
  const [nearWeight, farWeight] = [(322 + 13 * Math.sqrt(70)) / 900, (322 - 13 * Math.sqrt(70)) / 900]
  return { nodes: [-far, -near, 0, near, far], weights: [farWeight, nearWeight, 128 / 225, nearWeight, farWeight] }
}

async function answerRandomProblems(cluster: Cluster): Promise<Record<string, unknown>> {
  const times = aggregateStatistics(
    await distributeComputation(timeOfMass, middles(0.5, 1.5, 100), cluster),
    [0.1, 0.5, 0.9],
  )
  const efforts = aggregateStatistics(await distributeComputation(effortBelow, middles(0.05, 0.15, 100), cluster))
  const { nodes, weights } = fiveNodes()
  const bounds = nodes.map((node) => 0.1 + 0.05 * node)
  const costs = await distributeComputation(effortBelow, bounds, cluster)
  return {
    ...{
      A_mean: times.mean,
      A_var: times.variance,
      A_quantiles_10_50_90: [0.1, 0.5, 0.9].map((q) => times.quantiles[q]),
    },
    ...{ B_mean: efforts.mean, B_var: efforts.variance },
    gauss_legendre_5_nodes: {
      ...{ l: bounds, w: weights.map((weight) => weight / 2) },
      B_mean_gl5: sum(costs.map((cost, k) => (cost * weights[k]!) / 2)),
    },
  }
}

export const randomModelWorkloads: readonly Workload[] = [
  { name: 'mc-black-scholes', section: 'uncertainty', answer: answerBlackScholes },
  { name: 'mc-linear-sde-2d', section: 'uncertainty', answer: answerOscillator },
  { name: 'uq-optimal-control-random-parameters', section: 'uncertainty', answer: answerRandomProblems },
  { name: 'uq-sobol-g', section: 'uncertainty', answer: answerSobolG },
]
