import type { Argument, SubmitOptions, Task } from '#libs/client'

import { Memo, type MemoOptions } from './memo.js'
import { countSettles, type Run, type RunOptions } from './run.js'

/** What a map may be told of the results of earlier ones. */
export interface MemoizeOptions {
  /**
   * Keeps each result in the checkpoint-store under the content of code, `seed` and input, and computes only what is not kept: a
   * study that is run again, or that grows, costs what is new. A task that draws random numbers draws them from a stream that
   * follows from seed and input, wherever the input stands. For tasks whose results depend on nothing else.
   */
  readonly memoize?: boolean | MemoOptions
}

/** Submits a task, as one job, for those of the inputs whose results are not kept; one result for each input. */
export async function startMemoized<I, R>(
  run: Run,
  terms: SubmitOptions,
  task: Task<[I], R>,
  inputs: readonly Argument<I>[],
  { memoize, onProgress }: MemoizeOptions & Pick<RunOptions, 'onProgress'>,
): Promise<readonly Promise<R>[]> {
  const count = countSettles(inputs.length, onProgress)
  const memo = await Memo.open(run.cluster, task, inputs, typeof memoize === 'object' ? memoize : {})
  for (let k = 0; k < memo.found.size; k++) count?.({ status: 'finished' })
  const { futures, results } = memo.submit(run.with(terms))
  run.keep(futures, count)
  return results
}
