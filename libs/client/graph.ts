import { replaced } from '#libs/submission'
import { type AnyTask, type Arguments, type GraphTaskOptions, MeshError, type Task, type TaskFuture } from '#libs/task'

/** Collects the tasks of one job. */
export interface GraphBuilder {
  /** Adds a task; its future may be an argument of tasks that are added later. */
  task<A extends readonly unknown[], R>(task: Task<A, R>, ...args: Arguments<A>): TaskFuture<R>
  /** The same graph, with options of their own for the tasks that are added through it: `g.with({ priority: 1 }).task(…)`. */
  with(options: GraphTaskOptions): GraphBuilder
}

/** Builds a graph by `add`, which is told of each task's options. */
export function createGraphBuilder(
  add: (task: AnyTask, args: readonly unknown[], options: GraphTaskOptions | undefined) => TaskFuture<unknown>,
  options?: GraphTaskOptions,
): GraphBuilder {
  return {
    task: (task, ...args) => add(task, args, options) as never,
    with: (by) => createGraphBuilder(add, options ? replaced(options, by) : by),
  }
}

/** What the futures of a graph fail with whose building threw. */
export function graphNotBuilt(cause: unknown): MeshError {
  const why = cause instanceof Error ? cause.message : String(cause)
  return new MeshError('FAILED_PRECONDITION', 'GRAPH_NOT_SUBMITTED', `the graph was not submitted: ${why}`, { cause })
}

/** A task that is added too late. */
export function graphAlreadySent(): MeshError {
  const message = 'the graph is submitted: add its tasks before the function that is given to graph() returns'
  return new MeshError('FAILED_PRECONDITION', 'GRAPH_SUBMITTED', message)
}
