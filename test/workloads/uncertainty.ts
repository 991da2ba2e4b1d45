import { type Cluster, task, type TaskContext } from 'costate'
import { distributeComputation, monteCarlo, polynomialChaos, scatterGatherReduction } from 'costate/primitives'

import { createRng } from '#libs/domain'

import type { Workload } from './workload.js'

/** Hits of the quarter circle among points `from` to `to` of a stream; point i is made of block i. */
export const hits = task(import.meta, 'hits', ({ from, to }: { from: number; to: number }) => {
  const rng = createRng(31_415_926, 0, 2 * from)
  let count = 0
  for (let i = from; i < to; i++) if (rng.uniform() ** 2 + rng.uniform() ** 2 <= 1) count++
  return count
})

async function answerPi(cluster: Cluster): Promise<Record<string, unknown>> {
  const ranges = Array.from({ length: 16 }, (_, k) => ({ from: k * 62_500, to: (k + 1) * 62_500 }))
  const counts = await distributeComputation(hits, ranges, cluster)
  const total = counts.reduce((sum, count) => sum + count, 0)
  return { hits: total, pi_hat: (4 * total) / 1e6 }
}

const ou = { theta: 1.5, mu: 0.5, sigma: 0.8, x0: 2, steps: 100 }

/** X at time 1 by Euler and Maruyama's steps. */
export const path = task(import.meta, 'path', (_: number, { rng }: TaskContext) => {
  const dt = 1 / ou.steps
  let x = ou.x0
  for (let k = 0; k < ou.steps; k++) x += ou.theta * (ou.mu - x) * dt + ou.sigma * Math.sqrt(dt) * rng.normal()
  return x
})

async function answerOrnsteinUhlenbeck(cluster: Cluster): Promise<Record<string, unknown>> {
  const { theta, mu, sigma, x0, steps } = ou
  const { mean, variance, n, samples } = await monteCarlo({ cluster, sample: path, n: 2_000, seed: 77, keepSamples: true })
  // Euler and Maruyama's mean and variance follow a linear recursion.
  const keep = 1 - theta / steps
  let [meanEm, varEm] = [x0, 0]
  for (let k = 0; k < steps; k++) {
    meanEm = mu + (meanEm - mu) * keep
    varEm = varEm * keep ** 2 + sigma ** 2 / steps
  }
  return {
    mean_exact: mu + (x0 - mu) * Math.exp(-theta),
    var_exact: ((sigma ** 2 / (2 * theta)) * (1 - Math.exp(-2 * theta))),
    ...{ mean_em: meanEm, var_em: varEm, specified_mean: mean, specified_var: (variance * (n - 1)) / n },
    ...{ path0: samples![0], path1999: samples![1_999] },
  }
}

type Xs = { readonly x1: number; readonly x2: number; readonly x3: number }
const ishigamiAt = ({ x1, x2, x3 }: Xs): number => Math.sin(x1) + 7 * Math.sin(x2) ** 2 + 0.1 * x3 ** 4 * Math.sin(x1)
export const ishigami = task(import.meta, 'ishigami', (x: Xs) => ishigamiAt(x))

interface Lot {
  readonly n: number
  readonly sum: number
  readonly squares: number
}

/** Sample i of the specified estimate: x1 and x2 from block i of stream 0, x3 from block i of stream 1. */
export const specifiedIshigami = task(import.meta, 'specifiedIshigami', (i: number): Lot => {
  const at = (u: number): number => Math.PI * (2 * u - 1)
  const first = createRng(1, 0, 2 * i)
  const x1 = at(first.uniform())
  const x2 = at(first.uniform())
  const sum = ishigamiAt({ x1, x2, x3: at(createRng(1, 1, 2 * i).uniform()) })
  return { n: 1, sum, squares: 0 }
})

/** Two lots together, squares about their own means. */
export const mergeLots = task(import.meta, 'mergeLots', (a: Lot, b: Lot): Lot => {
  const delta = b.sum / b.n - a.sum / a.n
  const n = a.n + b.n
  return { n, sum: a.sum + b.sum, squares: a.squares + b.squares + (delta * delta * a.n * b.n) / n }
})

async function answerIshigami(cluster: Cluster): Promise<Record<string, unknown>> {
  const input = { distribution: 'uniform', low: -Math.PI, high: Math.PI } as const
  const inputs = { x1: input, x2: input, x3: input }
  const { mean, variance, sobol } = await polynomialChaos({ cluster, model: ishigami, inputs, degree: 12, nodes: 14 })
  const numbers = Array.from({ length: 50_000 }, (_, i) => i)
  const reduction = { cluster, data: numbers, mapFn: specifiedIshigami, reduceFn: mergeLots, chunkSize: 2_000 }
  const lot = await scatterGatherReduction(reduction)
  return {
    ...{ mean, variance, S: Object.values(sobol.first), ST: Object.values(sobol.total), S13: sobol.second['x1*x3'] },
    ...{ specified_mc_mean: lot.sum / lot.n, specified_mc_var: lot.squares / lot.n },
  }
}

export const expNormal = task(import.meta, 'expNormal', ({ y }: { y: number }) => Math.exp(y))

async function answerExpGaussian(cluster: Cluster): Promise<Record<string, unknown>> {
  const expand = async (mean: number, std: number) => {
    const inputs = { y: { distribution: 'normal', mean, std } } as const
    return await polynomialChaos({ cluster, model: expNormal, inputs, degree: 20, nodes: 40 })
  }
  const [a, b] = [await expand(0, 1), await expand(0.2, 0.5)]
  /** From orthonormal polynomials to He_k, whose norms are √k!. */
  const unnormalised = (coefficients: Float64Array): number[] => {
    let factorial = 1
    return Array.from(coefficients.slice(0, 11), (c, k) => c / Math.sqrt((factorial *= Math.max(1, k))))
  }
  return {
    c_mu0_s1: unnormalised(a.coefficients),
    c_mu02_s05: unnormalised(b.coefficients),
    mean: [a.mean, b.mean],
    variance: [a.variance, b.variance],
  }
}

const boreholeRanges = {
  ...{ rw: [0.05, 0.15], r: [100, 50_000], Tu: [63_070, 115_600], Hu: [990, 1_110] },
  ...{ Tl: [63.1, 116], Hl: [700, 820], L: [1_120, 1_680], Kw: [9_855, 12_045] },
} as const
type Borehole = { readonly [K in keyof typeof boreholeRanges]: number }

/** The flow of water through a borehole, m³/yr (Harper & Gupta 1983). */
export const borehole = task(import.meta, 'borehole', ({ rw, r, Tu, Hu, Tl, Hl, L, Kw }: Borehole) => {
  const log = Math.log(r / rw)
  return (2 * Math.PI * Tu * (Hu - Hl)) / (log * (1 + (2 * L * Tu) / (log * rw ** 2 * Kw) + Tu / Tl))
})

async function answerBorehole(cluster: Cluster): Promise<Record<string, unknown>> {
  const inputs = Object.fromEntries(
    Object.entries(boreholeRanges).map(([name, [low, high]]) => [name, { distribution: 'uniform', low, high }] as const),
  ) as { readonly [K in keyof Borehole]: { distribution: 'uniform'; low: number; high: number } }
  const chaos = await polynomialChaos({ cluster, model: borehole, inputs, degree: 3, samples: 600 })
  const { first } = chaos.sobol
  return { mean: chaos.mean, variance: chaos.variance, S_rw: first['rw'], S_Hu: first['Hu'], S_Hl: first['Hl'] }
}

export const uncertaintyWorkloads: readonly Workload[] = [
  { name: 'mc-pi-philox', section: 'sampling', answer: answerPi },
  { name: 'mc-ornstein-uhlenbeck', section: 'uncertainty', answer: answerOrnsteinUhlenbeck },
  { name: 'uq-ishigami', section: 'uncertainty', answer: answerIshigami },
  { name: 'pce-exp-gaussian', section: 'uncertainty', answer: answerExpGaussian },
  { name: 'uq-borehole-uniform', section: 'uncertainty', answer: answerBorehole },
]
