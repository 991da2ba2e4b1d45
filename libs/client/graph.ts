import type { Task } from '#libs/task'

import type { Arguments } from './cluster.js'
import type { TaskFuture } from './future.js'

/** Collects the tasks of one job. */
export interface GraphBuilder {
  /** Adds a task; its future may be an argument of tasks that are added later. */
  task<A extends readonly unknown[], R>(task: Task<A, R>, ...args: Arguments<A>): TaskFuture<R>
}
