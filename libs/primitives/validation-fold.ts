import { combinator, type Task, type TaskContext } from '#libs/task'

import { type Dataset, takeRows } from './dataset.js'
import type { Fold } from './folds.js'

/** What a fold came to. */
export interface FoldScore {
  readonly score: number
  readonly trainMs: number
  readonly evaluateMs: number
}

/** The functions of a cross-validation. */
export type FoldParts = {
  readonly model: Task<[], unknown>
  readonly train: Task<[unknown, Dataset], unknown>
  readonly evaluate: Task<[unknown, Dataset], number>
}

/** Makes a model, trains it on the fold's rows and scores it on the others, in one task: the model never travels. */
export const validationFold = combinator(
  import.meta,
  'validationFold',
  ({ model, train, evaluate }: FoldParts) =>
    async (fold: Fold, data: Dataset, ctx: TaskContext): Promise<FoldScore> => {
      const made = await model(ctx)
      const startedAt = performance.now()
      const trained = await train(made, takeRows(data, fold.train), ctx)
      const trainedAt = performance.now()
      ctx.signal.throwIfAborted()
      // A function that trains its model in place may return nothing.
      const score = await evaluate(trained ?? made, takeRows(data, fold.test), ctx)
      if (typeof score !== 'number' || Number.isNaN(score)) {
        throw new TypeError(`${evaluate.taskName} gave ${String(score)} for a score: give a number`)
      }
      return { score, trainMs: trainedAt - startedAt, evaluateMs: performance.now() - trainedAt }
    },
)
