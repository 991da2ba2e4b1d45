import type { Task } from '#libs/client'

import { type Range, runBatches } from './batches.js'
import { type EvaluationBatch, evaluationBatch, type EvaluationOrder } from './evaluation-batch.js'
import type { Run } from './run.js'
import { packRows, type ParameterTable } from './search/parameter-columns.js'
import type { SearchHistory } from './search-history.js'

/** Evaluations end their batch after so much time: progress, early stops and what is kept of a study are as fine as that. */
const batchMs = { heard: 250, unheard: 1_000 } as const

/** Points to evaluate at the same time. */
export interface Generation {
  /** The number of the first evaluation. */
  readonly from: number
  readonly count: number
  /** The parameters of each. */
  readonly table: ParameterTable
  /** What the one at a place may spend, for methods that say so. */
  readonly resourceAt?: ((place: number) => number) | undefined
  /** Whether somebody wants to know of evaluations before all are done. */
  readonly isHeard: boolean
  readonly objective: Task<[unknown, number?], unknown>
  readonly seed: bigint | number
  /** Knows what was evaluated before, and gets what is evaluated now. */
  readonly history: SearchHistory
}

/**
 * Evaluates what the history does not know yet.
 * @param onBatch called as evaluations come; true ends it.
 */
export async function evaluateGeneration(
  run: Run,
  { from, count, table, resourceAt, isHeard, objective, seed, history }: Generation,
  onBatch: () => boolean,
): Promise<void> {
  const missing = Array.from({ length: count }, (_, place) => place).filter((place) => !history.has(from + place))
  if (missing.length === 0 || onBatch()) return
  const task = evaluationBatch({ objective })
  const budgetMs = isHeard ? batchMs.heard : batchMs.unheard
  const orderOf = (range: Range): EvaluationOrder => {
    const places = missing.slice(range.from, range.to)
    return {
      indices: Float64Array.from(places, (place) => from + place),
      parameters: packRows(table, places),
      resources: resourceAt && Float64Array.from(places, resourceAt),
      ...{ seed, budgetMs },
    }
  }
  const indexOf = (item: number): number => from + missing[item]!
  await runBatches<EvaluationBatch>(
    run,
    { from: 0, to: missing.length },
    {
      ...{ slots: await run.slots(), budgetMs },
      submit: (ranges) => run.cluster.map(task, ranges.map(orderOf)),
      onBatch: (range, { values, errors }) => {
        for (const [place, value] of values.entries())
          history.record(indexOf(range.from + place), value, errors.get(place))
        history.saveSoon()
        return !onBatch()
      },
      onFailed: (item, { message }) => history.record(indexOf(item), NaN, message),
    },
  )
}
