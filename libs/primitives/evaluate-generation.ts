import type { Task } from '#libs/client'

import { type Range, runBatches } from './batches.js'
import { type EvaluationBatch, evaluationBatch } from './evaluation-batch.js'
import type { Run } from './run.js'
import type { SearchHistory } from './search-history.js'

/** Evaluations of a generation end their batch after so much time: progress and early stops are as fine as that. */
const budgetMs = 250

/** Points to evaluate at the same time. */
export interface Generation {
  /** The number of the first evaluation. */
  readonly from: number
  readonly parameters: readonly unknown[]
  readonly resources: readonly (number | undefined)[]
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
  { from, parameters, resources, objective, seed, history }: Generation,
  onBatch: () => boolean,
): Promise<void> {
  const missing = parameters.flatMap((_, place) => (history.has(from + place) ? [] : [place]))
  if (missing.length === 0 || onBatch()) return
  const task = evaluationBatch({ objective })
  const hasResources = resources[0] !== undefined
  const orderOf = (range: Range) => {
    const places = missing.slice(range.from, range.to)
    return {
      indices: places.map((place) => from + place),
      parameters: places.map((place) => parameters[place]),
      resources: hasResources ? places.map((place) => resources[place]!) : undefined,
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
