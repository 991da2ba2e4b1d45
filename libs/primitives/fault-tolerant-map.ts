import type { Argument, FailedAttempt, RetryOptions, SubmitOptions, Task, TaskError } from '#libs/client'

import { countSettles, type Run, runOn, type RunOptions } from './run.js'
import { type MemoizeOptions, startMemoized } from './start-memoized.js'

/** How to run a map that goes on when inputs fail. */
export interface FaultTolerantMapOptions extends RunOptions, MemoizeOptions {
  /** How often an input that fails is tried again; 3 unless given. */
  readonly maxRetries?: number
  /** How retries are spaced: 100 ms before the first, growing, unless given. */
  readonly retry?: Omit<RetryOptions, 'maxAttempts' | 'classes'>
  /** The longest that one attempt may run: milliseconds, or `'00:10:00'`. */
  readonly timeout?: number | string
}

/** An input that failed for good. */
export interface FailedInput<I> {
  /** Its place among the inputs. */
  readonly index: number
  readonly input: I
  /** What its last attempt failed with: the error's name, message and stack as the task threw it. */
  readonly error: TaskError | Error
  /** How many attempts were made. */
  readonly attempts: number
  /** What happened to each attempt, when there were several. */
  readonly history: readonly FailedAttempt[]
}

/** What became of a fault-tolerant map. */
export interface FaultTolerantMapResult<I, R> {
  /** By input; undefined for those that failed. */
  readonly results: readonly (R | undefined)[]
  readonly failures: readonly FailedInput<I>[]
}

/**
 * Runs a task on each of the inputs and keeps partial results: an input that fails is tried again, and when it fails for good it
 * is listed with its error while the others go on.
 *
 *     const { results, failures } = await faultTolerantMap(solve, problems, { cluster, maxRetries: 3 })
 *
 * @throws RangeError when there are no inputs, or `maxRetries` is no whole number from 0. What a task throws is never thrown.
 */
export async function faultTolerantMap<I, R>(
  task: Task<[I], R>,
  inputs: Iterable<Argument<I>>,
  options: FaultTolerantMapOptions = {},
): Promise<FaultTolerantMapResult<Argument<I>, R>> {
  const { maxRetries = 3, retry = { backoff: 100, maxBackoff: 10_000 }, timeout } = options
  const all = [...inputs]
  if (all.length === 0) throw new RangeError('faultTolerantMap: there are no inputs: give at least one')
  if (!Number.isInteger(maxRetries) || maxRetries < 0) {
    throw new RangeError(`faultTolerantMap: maxRetries is ${maxRetries}; give a whole number from 0`)
  }
  const startAll = async (run: Run, terms: SubmitOptions): Promise<readonly Promise<R>[]> => {
    if (options.memoize) return await startMemoized(run, terms, task, all, options)
    const futures = run.with(terms).map(task, all)
    run.keep(futures, countSettles(all.length, options.onProgress))
    return futures.map((future) => future.result())
  }
  return await runOn('faultTolerantMap', options, async (run) => {
    const terms = { retry: { ...retry, maxAttempts: maxRetries + 1 }, ...(timeout === undefined ? {} : { timeout }) }
    const outcomes = await Promise.allSettled(await startAll(run, terms))
    options.signal?.throwIfAborted()
    const failures = outcomes.flatMap((outcome, index) =>
      outcome.status === 'rejected' ? [failedInput(index, all[index]!, outcome.reason)] : [],
    )
    return {
      results: outcomes.map((outcome) => (outcome.status === 'fulfilled' ? outcome.value : undefined)),
      failures,
    }
  })
}

function failedInput<I>(index: number, input: I, reason: unknown): FailedInput<I> {
  const error = reason instanceof Error ? reason : new Error(String(reason))
  const { attempts = 1, history = [] } = error as Partial<TaskError>
  return { index, input, error, attempts: Math.max(1, attempts), history }
}
