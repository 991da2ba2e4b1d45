import type { Argument, Cluster, Task } from '#libs/client'

import { countSettles, runOn, type RunOptions } from './run.js'
import { type MemoizeOptions, startMemoized } from './start-memoized.js'

/**
 * Runs a task on each of the inputs, wherever there is a free slot, as one job, and brings the results back in the order of the
 * inputs. With the first input that fails the others are cancelled; `faultTolerantMap` keeps partial results instead.
 *
 *     const costs = await distributeComputation(evaluate, parameterGrid({ q: [1, 10], r: [0.1, 1] }), cluster)
 *
 * @param task takes one input.
 * @param cluster where it runs, as `options.cluster`.
 * @returns one result per input.
 * @throws RangeError when there are no inputs; TaskError of the first input that failed.
 */
export async function distributeComputation<I, R>(
  task: Task<[I], R>,
  inputs: Iterable<Argument<I>>,
  cluster?: Cluster,
  options: Omit<RunOptions, 'cluster'> & MemoizeOptions = {},
): Promise<R[]> {
  const all = [...inputs]
  if (all.length === 0) throw new RangeError('distributeComputation: there are no inputs: give at least one')
  const where = cluster === undefined ? options : { ...options, cluster }
  return await runOn('distributeComputation', where, async (run) => {
    const terms = { failFast: true }
    if (options.memoize) return await Promise.all(await startMemoized(run, terms, task, all, options))
    const futures = run.with(terms).map(task, all)
    run.keep(futures, countSettles(all.length, options.onProgress))
    return await run.cluster.gather(futures)
  })
}
