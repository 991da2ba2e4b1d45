import { EigenvalueDecomposition, Matrix } from 'ml-matrix'

import { createRng } from '#libs/domain'

import { type Candidate, ranked, type Search, type SearchSettings } from './search.js'

/** The axes of the distribution: C = B D² Bᵀ. */
interface Axes {
  /** By row. */
  readonly b: readonly Float64Array[]
  /** float64[n], the roots of the eigenvalues. */
  readonly d: Float64Array
}

/**
 * CMA-ES, the (μ/μ_w, λ) evolution strategy with covariance matrix adaptation, with the default parameters of Hansen, "The CMA
 * Evolution Strategy: A Tutorial" (arXiv:1604.00772), positive weights only. Coordinates outside the cube are mirrored into it when
 * they are evaluated. It ends when the distribution has shrunk to nothing.
 */
export class CmaEs implements Search {
  readonly #n: number
  readonly #lambda: number
  readonly #weights: Float64Array
  readonly #constants: Constants
  readonly #rng
  #left: number
  #mean: Float64Array
  #sigma: number
  #covariance: Matrix
  #axes: Axes
  readonly #pathSigma: Float64Array
  readonly #pathC: Float64Array
  #generation = 0
  #decomposedAt = 0
  #steps: Float64Array[] = []
  /** What it has not learnt from yet: after the last generation there is nothing to learn for. */
  #told: Float64Array | undefined

  constructor({ dimension: n, nSamples, seed, populationSize, start, spread = 0.3 }: SearchSettings) {
    this.#n = n
    this.#lambda = Math.min(nSamples, populationSize ?? 4 + Math.floor(3 * Math.log(n)))
    this.#left = nSamples
    this.#weights = weightsOf(this.#lambda)
    this.#constants = constantsOf(n, this.#weights)
    this.#rng = createRng(seed, 0)
    this.#mean = start?.slice() ?? new Float64Array(n).fill(0.5)
    this.#sigma = spread
    this.#covariance = Matrix.eye(n, n)
    this.#axes = { b: rowsOf(this.#covariance), d: new Float64Array(n).fill(1) }
    this.#pathSigma = new Float64Array(n)
    this.#pathC = new Float64Array(n)
  }

  /** Whether the distribution has shrunk to nothing. */
  get hasConverged(): boolean {
    return this.#sigma * Math.max(...this.#axes.d) < 1e-14
  }

  ask(): readonly Candidate[] {
    if (this.#left < this.#lambda) return []
    if (this.#told) this.#learn(this.#told)
    this.#told = undefined
    if (this.hasConverged) return []
    this.#left -= this.#lambda
    const { b, d } = this.#axes
    const z = new Float64Array(this.#n)
    this.#steps = Array.from({ length: this.#lambda }, () => {
      for (let j = 0; j < this.#n; j++) z[j] = this.#rng.normal() * d[j]!
      return multiply(b, z)
    })
    return this.#steps.map((step) => ({ point: step.map((value, j) => this.#mean[j]! + this.#sigma * value) }))
  }

  tell(values: Float64Array): void {
    this.#told = values
  }

  #learn(values: Float64Array): void {
    const weights = this.#weights
    const best = ranked(values)
      .slice(0, weights.length)
      .map((index) => this.#steps[index]!)
    const step = new Float64Array(this.#n)
    for (const [k, y] of best.entries()) for (let j = 0; j < this.#n; j++) step[j]! += weights[k]! * y[j]!
    this.#mean = this.#mean.map((value, j) => value + this.#sigma * step[j]!)
    this.#generation++
    const stalls = this.#movePaths(step)
    this.#adaptCovariance(best, stalls)
    const { cs, ds, chi } = this.#constants
    this.#sigma *= Math.exp((cs / ds) * (norm(this.#pathSigma) / chi - 1))
    this.#decompose()
  }

  /** Whether the path of the step size is so long that the path of the covariance waits. */
  #movePaths(step: Float64Array): boolean {
    const { cs, cc, mueff, chi } = this.#constants
    const { b, d } = this.#axes
    const white = multiply(
      b,
      multiplyTransposed(b, step).map((value, j) => value / d[j]!),
    )
    const gain = Math.sqrt(cs * (2 - cs) * mueff)
    for (let j = 0; j < this.#n; j++) this.#pathSigma[j] = (1 - cs) * this.#pathSigma[j]! + gain * white[j]!
    const settled = Math.sqrt(1 - (1 - cs) ** (2 * this.#generation))
    const isLong = norm(this.#pathSigma) / settled >= (1.4 + 2 / (this.#n + 1)) * chi
    const gainC = isLong ? 0 : Math.sqrt(cc * (2 - cc) * mueff)
    for (let j = 0; j < this.#n; j++) this.#pathC[j] = (1 - cc) * this.#pathC[j]! + gainC * step[j]!
    return isLong
  }

  #adaptCovariance(best: readonly Float64Array[], stalls: boolean): void {
    const { c1, cmu, cc } = this.#constants
    const keep = 1 - c1 - cmu + (stalls ? c1 * cc * (2 - cc) : 0)
    for (let i = 0; i < this.#n; i++) {
      for (let j = 0; j <= i; j++) {
        let value = keep * this.#covariance.get(i, j) + c1 * this.#pathC[i]! * this.#pathC[j]!
        for (const [k, y] of best.entries()) value += cmu * this.#weights[k]! * y[i]! * y[j]!
        this.#covariance.set(i, j, value)
        this.#covariance.set(j, i, value)
      }
    }
  }

  /** Costs n³, so not every generation: the distribution changes slowly. */
  #decompose(): void {
    const { c1, cmu } = this.#constants
    if (this.#generation - this.#decomposedAt < 1 / ((c1 + cmu) * this.#n * 10)) return
    this.#decomposedAt = this.#generation
    const { realEigenvalues, eigenvectorMatrix } = new EigenvalueDecomposition(this.#covariance, {
      assumeSymmetric: true,
    })
    this.#axes = {
      b: rowsOf(eigenvectorMatrix),
      d: Float64Array.from(realEigenvalues, (value) => Math.sqrt(Math.max(value, 1e-300))),
    }
  }
}

interface Constants {
  readonly mueff: number
  readonly cs: number
  readonly ds: number
  readonly cc: number
  readonly c1: number
  readonly cmu: number
  /** The length that a normal vector is expected to have. */
  readonly chi: number
}

/** log((λ + 1) / 2) − log i for the better half, summing to 1. */
function weightsOf(lambda: number): Float64Array {
  const half = Math.max(1, Math.floor(lambda / 2))
  const raw = Float64Array.from({ length: half }, (_, i) => Math.log((lambda + 1) / 2) - Math.log(i + 1))
  const total = raw.reduce((sum, weight) => sum + weight, 0)
  return half === 1 ? Float64Array.of(1) : raw.map((weight) => weight / total)
}

function constantsOf(n: number, weights: Float64Array): Constants {
  const mueff = 1 / weights.reduce((sum, weight) => sum + weight ** 2, 0)
  const cs = (mueff + 2) / (n + mueff + 5)
  const c1 = 2 / ((n + 1.3) ** 2 + mueff)
  return {
    ...{ mueff, cs, c1 },
    ds: 1 + 2 * Math.max(0, Math.sqrt((mueff - 1) / (n + 1)) - 1) + cs,
    cc: (4 + mueff / n) / (n + 4 + (2 * mueff) / n),
    cmu: Math.min(1 - c1, (2 * (mueff - 2 + 1 / mueff)) / ((n + 2) ** 2 + mueff)),
    chi: Math.sqrt(n) * (1 - 1 / (4 * n) + 1 / (21 * n * n)),
  }
}

function rowsOf(matrix: Matrix): readonly Float64Array[] {
  return matrix.to2DArray().map((row) => Float64Array.from(row))
}

function multiply(rows: readonly Float64Array[], vector: Float64Array): Float64Array {
  const product = new Float64Array(vector.length)
  for (let i = 0; i < vector.length; i++) {
    const row = rows[i]!
    let sum = 0
    for (let j = 0; j < vector.length; j++) sum += row[j]! * vector[j]!
    product[i] = sum
  }
  return product
}

function multiplyTransposed(rows: readonly Float64Array[], vector: Float64Array): Float64Array {
  const product = new Float64Array(vector.length)
  for (let i = 0; i < vector.length; i++) {
    for (let j = 0; j < vector.length; j++) product[j]! += rows[i]![j]! * vector[i]!
  }
  return product
}

function norm(vector: Float64Array): number {
  return Math.sqrt(vector.reduce((sum, value) => sum + value * value, 0))
}
