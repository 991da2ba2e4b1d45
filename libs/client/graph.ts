import type { Task } from '#libs/task'

import type { Arguments } from './cluster.js'
import type { TaskFuture } from './future.js'
import { MeshError } from './task-error.js'

/** Collects the tasks of one job. */
export interface GraphBuilder {
  /** Adds a task; its future may be an argument of tasks that are added later. */
  task<A extends readonly unknown[], R>(task: Task<A, R>, ...args: Arguments<A>): TaskFuture<R>
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
