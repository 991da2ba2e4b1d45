import { type Cluster, task } from 'costate'
import { applyScaling, classifyByNeighbours, fitRidge, fitScaling, predictLinear } from 'costate/learning'
import { distributeComputation } from 'costate/primitives'
import { CholeskyDecomposition, EigenvalueDecomposition, inverse, Matrix } from 'ml-matrix'

import { range, readRows, sum } from './data-files.js'
import type { Workload } from './workload.js'

/** Rows for learning and rows for judging, features scaled by what the former ones say. */
interface Split {
  readonly columns: number
  /** float64[rows, columns]. */
  readonly x: Float64Array
  readonly y: Float64Array
  readonly testX: Float64Array
  readonly testY: Float64Array
}

type Rows = readonly (readonly number[])[]

function splitRows(rows: Rows, isTest: (row: number) => boolean): Split {
  const columns = rows[0]!.length - 1
  const part = (test: boolean): Rows => rows.filter((_, row) => isTest(row) === test)
  const features = (some: Rows): Float64Array => Float64Array.from(some.flatMap((row) => row.slice(0, columns)))
  const answers = (some: Rows): Float64Array => Float64Array.from(some, (row) => row[columns]!)
  const scaling = fitScaling(features(part(false)), columns)
  return {
    ...{ columns, x: applyScaling(scaling, features(part(false))), y: answers(part(false)) },
    ...{ testX: applyScaling(scaling, features(part(true))), testY: answers(part(true)) },
  }
}

/** Neighbouring rows make a fold; the first ones are one larger where it does not divide. */
function contiguousFolds(rows: Rows, count: number): Split[] {
  const [size, larger] = [Math.floor(rows.length / count), rows.length % count]
  const start = (fold: number): number => fold * size + Math.min(fold, larger)
  return range(0, count).map((fold) => splitRows(rows, (row) => row >= start(fold) && row < start(fold + 1)))
}

function meanSquare(predicted: Float64Array, y: Float64Array): number {
  return sum(y.map((value, row) => (predicted[row]! - value) ** 2)) / y.length
}

const mean = (values: readonly number[]): number => sum(values) / values.length

/** Where the least of some values is. */
const leastOf = (values: readonly number[]): number => values.indexOf(Math.min(...values))

interface Penalised {
  readonly split: Split
  readonly alpha: number
}

export const ridgeFold = task(import.meta, 'ridgeFold', async ({ split, alpha }: Penalised) => {
  const mse = meanSquare(predictLinear(fitRidge(split.x, split.y, split.columns, alpha), split.testX), split.testY)
  const centre = sum(split.testY) / split.testY.length
  return { mse, r2: 1 - mse / meanSquare(new Float64Array(split.testY.length).fill(centre), split.testY) }
})

async function answerRidge(cluster: Cluster): Promise<Record<string, unknown>> {
  const folds = contiguousFolds(await readRows('diabetes-raw.csv'), 5)
  const alphas = range(-6, 7).map((k) => 10 ** (k / 2))
  const orders = alphas.flatMap((alpha) => folds.map((split) => ({ split, alpha })))
  const scores = await distributeComputation(ridgeFold, orders, cluster)
  const table = (key: 'mse' | 'r2'): number[][] =>
    alphas.map((_, row) => scores.slice(5 * row, 5 * row + 5).map((score) => score[key]))
  const means = table('mse').map(mean)
  const best = leastOf(means)
  return { mse: table('mse'), r2: table('r2'), mean_mse: means, best_alpha_index: best, best_alpha: alphas[best] }
}

export const kernelFold = task(
  import.meta,
  'kernelFold',
  async ({ split, alpha, gamma }: Penalised & { readonly gamma: number }) => {
    const { columns, x, y, testX, testY } = split
    const rows = y.length
    const kernel = (a: Float64Array, b: Float64Array): Matrix =>
      new Matrix(
        range(0, a.length / columns).map((i) =>
          range(0, b.length / columns).map((j) =>
            Math.exp(-gamma * sum(range(0, columns).map((c) => (a[i * columns + c]! - b[j * columns + c]!) ** 2))),
          ),
        ),
      )
    const centre = sum(y) / rows
    const known = kernel(x, x).add(Matrix.eye(rows).mul(alpha))
    const dual = new CholeskyDecomposition(known).solve(Matrix.columnVector(Array.from(y, (value) => value - centre)))
    const predicted = kernel(testX, x)
      .mmul(dual)
      .to1DArray()
      .map((value) => value + centre)
    return meanSquare(Float64Array.from(predicted), testY)
  },
)

async function answerKernelRidge(cluster: Cluster): Promise<Record<string, unknown>> {
  const folds = contiguousFolds(await readRows('diabetes-raw.csv'), 5)
  const gammas = range(-6, -1).map((k) => 10 ** (k / 2))
  const alphas = [0.01, 0.1, 1, 10]
  const orders = gammas.flatMap((gamma) => alphas.flatMap((alpha) => folds.map((split) => ({ split, alpha, gamma }))))
  const scores = await distributeComputation(kernelFold, orders, cluster)
  const mse = gammas.map((_, g) => alphas.map((__, a) => scores.slice(20 * g + 5 * a, 20 * g + 5 * a + 5)))
  const means = mse.map((row) => row.map(mean))
  const best = leastOf(means.flat())
  return { mse, mean_mse: means, best: [Math.floor(best / 4), best % 4] }
}

const classes = [0, 1, 2]
const classifiers = ['knn1', 'knn5', 'knn11', 'nearest_centroid', 'gaussian_nb', 'lda'] as const

/** The rows of a class, and their share of all. */
function classRows({ x, y, columns }: Split, label: number): { rows: Float64Array[]; share: number } {
  const rows = range(0, y.length)
    .filter((row) => y[row] === label)
    .map((row) => x.slice(row * columns, (row + 1) * columns))
  return { rows, share: rows.length / y.length }
}

const centreOf = (rows: readonly Float64Array[]): Float64Array =>
  rows[0]!.map((_, j) => sum(rows.map((row) => row[j]!)) / rows.length)
const distance = (a: Float64Array, b: Float64Array): number => sum(a.map((value, j) => (value - b[j]!) ** 2))

/** How well a class explains a point, the larger the better, for a model that has learnt the rows. */
function learn(split: Split, model: (typeof classifiers)[number]): (point: Float64Array) => number {
  if (model.startsWith('knn')) return (point) => classifyByNeighbours(split, point, Number(model.slice(3)))
  const groups = classes.map((label) => classRows(split, label))
  const centres = groups.map(({ rows }) => centreOf(rows))
  const choose =
    (score: (point: Float64Array, label: number) => number) =>
    (point: Float64Array): number => {
      const scores = classes.map((label) => score(point, label))
      return scores.indexOf(Math.max(...scores))
    }
  if (model === 'nearest_centroid') return choose((point, label) => -distance(point, centres[label]!))
  if (model === 'gaussian_nb') {
    const all = fitScaling(split.x, split.columns).deviation
    const smallest = 1e-9 * Math.max(...all) ** 2
    const spreads = groups.map(({ rows }, label) =>
      centres[label]!.map((centre, j) => sum(rows.map((row) => (row[j]! - centre) ** 2)) / rows.length + smallest),
    )
    return choose((point, label) => {
      const fit = point.map(
        (value, j) => (value - centres[label]![j]!) ** 2 / spreads[label]![j]! + Math.log(spreads[label]![j]!),
      )
      return Math.log(groups[label]!.share) - 0.5 * sum(fit)
    })
  }
  const pooled = Matrix.zeros(split.columns, split.columns)
  groups.forEach(({ rows }, label) => {
    const centred = new Matrix(rows.map((row) => Array.from(row, (value, j) => value - centres[label]![j]!)))
    pooled.add(centred.transpose().mmul(centred))
  })
  const precision = inverse(pooled.div(split.y.length))
  return choose((point, label) => {
    const weights = precision.mmul(Matrix.columnVector(Array.from(centres[label]!))).to1DArray()
    return (
      Math.log(groups[label]!.share) + sum(weights.map((weight, j) => weight * (point[j]! - 0.5 * centres[label]![j]!)))
    )
  })
}

export const classifyFold = task(
  import.meta,
  'classifyFold',
  async ({ split, model }: { split: Split; model: (typeof classifiers)[number] }) => {
    const predict = learn(split, model)
    const { columns, testX, testY } = split
    return range(0, testY.length).filter(
      (row) => predict(testX.slice(row * columns, (row + 1) * columns)) === testY[row],
    ).length
  },
)

async function answerClassifiers(cluster: Cluster): Promise<Record<string, unknown>> {
  const rows = await readRows('wine.csv')
  const folds = range(0, 6).map((fold) => splitRows(rows, (row) => row % 6 === fold))
  const orders = classifiers.flatMap((model) => folds.map((split) => ({ model, split })))
  const counts = await distributeComputation(classifyFold, orders, cluster)
  return Object.fromEntries(classifiers.map((model, k) => [model, counts.slice(6 * k, 6 * k + 6)]))
}

/** Principal axes of scaled rows, the largest variance first. */
function principalAxes(x: Float64Array, columns: number): { variances: number[]; axes: Matrix } {
  const a = Matrix.from1DArray(x.length / columns, columns, x)
  const covariance = a.transpose().mmul(a).div(a.rows)
  const { realEigenvalues, eigenvectorMatrix } = new EigenvalueDecomposition(covariance, { assumeSymmetric: true })
  const order = range(0, columns).sort((i, j) => realEigenvalues[j]! - realEigenvalues[i]!)
  return { variances: order.map((i) => realEigenvalues[i]!), axes: eigenvectorMatrix.subMatrixColumn(order) }
}

export const principalVariances = task(
  import.meta,
  'principalVariances',
  async ({ x, columns }: { x: Float64Array; columns: number }) =>
    principalAxes(applyScaling(fitScaling(x, columns), x), columns).variances,
)

/** Errors of least squares on the first 1, 2, … principal scores. */
export const principalFold = task(import.meta, 'principalFold', async ({ columns, x, y, testX, testY }: Split) => {
  const { axes } = principalAxes(x, columns)
  const project = (values: Float64Array, count: number): Float64Array =>
    Float64Array.from(
      Matrix.from1DArray(values.length / columns, columns, values)
        .mmul(axes)
        .subMatrixColumn(range(0, count))
        .to1DArray(),
    )
  return range(1, columns + 1).map((count) =>
    meanSquare(predictLinear(fitRidge(project(x, count), y, count, 0), project(testX, count)), testY),
  )
})

async function answerPrincipal(cluster: Cluster): Promise<Record<string, unknown>> {
  const wine = (await readRows('wine.csv')).map((row) => row.slice(0, 13))
  const variances = await cluster
    .submit(principalVariances, { x: Float64Array.from(wine.flat()), columns: 13 })
    .result()
  const errors = await distributeComputation(
    principalFold,
    contiguousFolds(await readRows('diabetes-raw.csv'), 5),
    cluster,
  )
  return {
    ...{ eigenvalues: variances, explained_2: (variances[0]! + variances[1]!) / sum(variances) },
    pcr_mean_mse: range(0, 10).map((k) => mean(errors.map((fold) => fold[k]!))),
  }
}

export const regressionWorkloads: readonly Workload[] = [
  { name: 'cv-classifiers-wine', section: 'validation', answer: answerClassifiers },
  { name: 'cv-kernel-ridge-diabetes', section: 'validation', answer: answerKernelRidge },
  { name: 'cv-ridge-diabetes', section: 'validation', answer: answerRidge },
  { name: 'pca-wine', section: 'validation', answer: answerPrincipal },
]
