import { shared, type Task } from '#libs/client'

import { checkTasks } from './check-tasks.js'
import { answersOf, type Dataset, rowsOf } from './dataset.js'
import { divideRows } from './folds.js'
import { countSettles, runOn, type RunOptions } from './run.js'
import { aggregateStatistics } from './statistics.js'
import { type FoldParts, type FoldScore, validationFold } from './validation-fold.js'

/** What training gives; a function that trains its model in place gives nothing. */
type TrainedModel<M, T> = [T] extends [M] ? T : M

/** How to validate. */
export interface CrossValidationOptions<M, T, D extends Dataset> extends RunOptions {
  /** Makes a model that is not trained. */
  readonly modelFn: Task<[], M>
  /** Trains it; gives the trained model, or nothing when it trained the one that it got. */
  readonly trainFn: Task<[M, D], T>
  /** Scores a trained model. */
  readonly evaluateFn: Task<[TrainedModel<M, T>, D], number>
  /** A list of rows, or `{ x, y }`: a matrix or a list of rows, and the answers. It is only read. */
  readonly data: D
  /** 5 unless given. */
  readonly nFolds?: number
  /** Every fold gets its share of every class: the `y` of the data, or `labels`. */
  readonly stratified?: boolean
  /** The class of each row, where the data has no `y`. */
  readonly labels?: readonly unknown[]
  readonly shuffle?: boolean
  /** Of the shuffle and of the folds' random streams (`ctx.rng`); 0 unless given. */
  readonly seed?: bigint | number
}

/** A fold with its score. */
export interface FoldResult extends FoldScore {
  readonly fold: number
  readonly trainRows: number
  /** Numbers of the rows that tested it, uint32. */
  readonly testRows: Uint32Array
}

/** What the folds came to. */
export interface CrossValidationResult {
  /** By fold. */
  readonly scores: readonly number[]
  readonly mean: number
  /** Of the scores, n − 1 below the root. */
  readonly std: number
  readonly folds: readonly FoldResult[]
}

/**
 * K-fold cross-validation: each fold is one task that makes, trains and scores a model, so that models never travel; the data goes
 * to each worker once.
 *
 *     const { mean, std } = await distributedCrossValidation({ cluster, modelFn, trainFn, evaluateFn, data: { x, y }, nFolds: 5,
 *       stratified: true, shuffle: true, seed: 1 })
 *
 * @throws RangeError for folds that make no sense, such as more folds than rows; TaskError of a fold that failed.
 */
export async function distributedCrossValidation<M, T, D extends Dataset>(
  options: CrossValidationOptions<M, T, D>,
): Promise<CrossValidationResult> {
  const { modelFn, trainFn, evaluateFn, data, nFolds = 5, stratified = false, shuffle, seed = 0 } = options
  checkTasks('distributedCrossValidation', { modelFn, trainFn, evaluateFn })
  const labels = stratified ? (options.labels ?? answersOf(data)) : undefined
  if (stratified && labels === undefined) {
    throw new TypeError('cross-validation: stratified needs the classes of the rows: give data as { x, y }, or labels')
  }
  const folds = divideRows(rowsOf(data), { nFolds, labels, shuffle, seed })
  const parts = { model: modelFn, train: trainFn, evaluate: evaluateFn } as unknown as FoldParts
  return await runOn('distributedCrossValidation', options, async (run) => {
    const scattered = await run.broadcast(data)
    try {
      const futures = run.with({ failFast: true, seed }).map(
        validationFold(parts),
        folds,
        folds.map(() => shared(scattered)),
      )
      run.keep(futures, countSettles(nFolds, options.onProgress))
      const done = await run.cluster.gather(futures)
      const scores = done.map(({ score }) => score)
      const { mean, std } = aggregateStatistics(scores)
      const detail = done.map((result, fold): FoldResult => {
        const { train, test } = folds[fold]!
        return { fold, ...result, trainRows: train.length, testRows: test }
      })
      return { scores, mean, std, folds: detail }
    } finally {
      scattered.release()
    }
  })
}
