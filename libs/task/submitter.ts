import type { TaskFuture } from './future.js'
import type { Argument, Arguments, GatherOptions, ResultOf, SubmitOptions } from './submit-options.js'
import type { Task } from './task.js'

/**
 * Where a task submits tasks of its own: as on a cluster, with the same meaning and the same results. What it submits ends
 * with it, unless it is detached.
 */
export interface Submitter {
  /** Runs a task that the task's own module exports. Arguments may hold futures at any depth. */
  submit<A extends readonly unknown[], R>(task: Task<A, R>, ...args: Arguments<A>): TaskFuture<R>
  /** Runs a task on each item; with several lists, on the first of each, the second of each, … One job. */
  map<A extends readonly unknown[], R>(
    task: Task<A, R>,
    ...lists: { readonly [K in keyof A]: Iterable<Argument<A[K]>> }
  ): TaskFuture<R>[]
  /** The same with other options for what is submitted. */
  with(options: SubmitOptions): Submitter

  /** The results of futures, in order. While it waits the task holds no slot: others run in its place. */
  gather<const F extends readonly TaskFuture<unknown>[]>(
    futures: F,
    options?: { readonly errors?: 'raise' },
  ): Promise<{ -readonly [K in keyof F]: ResultOf<F[K]> }>
  gather<F extends TaskFuture<unknown>>(futures: readonly F[], options?: GatherOptions): Promise<ResultOf<F>[]>
  gather<R>(futures: Iterable<TaskFuture<R>>, options?: GatherOptions): Promise<R[]>
  /** The result of the task that finishes first; the others are cancelled. When all fail, an AggregateError says how. */
  race<R>(futures: Iterable<TaskFuture<R>>): Promise<R>
}
