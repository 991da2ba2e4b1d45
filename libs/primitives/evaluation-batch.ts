import { createRngSeries } from '#libs/domain'
import { combinator, ContextWithin, functionOf, type Task, type TaskContext } from '#libs/task'

import type { Batch } from './batches.js'
import { type ParameterRows, parametersOfRow, unpackRows } from './search/parameter-columns.js'

/** Evaluations to do, one after the other. */
export interface EvaluationOrder {
  /** Number of each evaluation in the whole search: names its random stream. float64[n]. */
  readonly indices: Float64Array
  readonly parameters: ParameterRows
  /** What each may spend, for methods that say so. */
  readonly resources: Float64Array | undefined
  readonly seed: bigint | number
  readonly budgetMs: number
}

/** What evaluations came to. */
export interface EvaluationBatch extends Batch {
  /** float64[done]; NaN for those that failed. */
  readonly values: Float64Array
  /** Why those that failed did, by their place in the batch. */
  readonly errors: ReadonlyMap<number, string>
}

/** Evaluates the objective until all is done or the time is over; what it throws is a result like others. */
export const evaluationBatch = combinator(
  import.meta,
  'evaluationBatch',
  ({ objective }: { objective: Task<[unknown, number?], unknown> }) => {
    const evaluate = functionOf(objective)
    return async (order: EvaluationOrder, ctx: TaskContext): Promise<EvaluationBatch> => {
      const { indices, parameters, resources, seed, budgetMs } = order
      const startedAt = performance.now()
      const series = createRngSeries(seed)
      const inner = new ContextWithin(ctx, series.at(0))
      const table = unpackRows(parameters)
      const values: number[] = []
      const errors = new Map<number, string>()
      for (const [place, index] of indices.entries()) {
        if (place > 0 && performance.now() - startedAt >= budgetMs) break
        ctx.signal.throwIfAborted()
        inner.rng = series.at(index)
        const own = parametersOfRow(table, place)
        const outcome = await attempt(() =>
          resources
            ? evaluate(own, resources[place], inner)
            : (evaluate as unknown as (one: unknown, ctx: TaskContext) => unknown)(own, inner),
        )
        values.push(typeof outcome === 'number' ? outcome : NaN)
        if (typeof outcome !== 'number') errors.set(place, outcome.error)
      }
      // What was stopped in the middle threw for that reason, and is no result.
      ctx.signal.throwIfAborted()
      const elapsedMs = performance.now() - startedAt
      return { done: values.length, elapsedMs, values: Float64Array.from(values), errors }
    }
  },
)

async function attempt(evaluate: () => unknown): Promise<number | { readonly error: string }> {
  try {
    const value = await evaluate()
    if (typeof value === 'number' && Number.isFinite(value)) return value
    return { error: `the objective gave ${String(value)}: it must give a finite number` }
  } catch (error) {
    return { error: error instanceof Error ? `${error.name}: ${error.message}` : String(error) }
  }
}
