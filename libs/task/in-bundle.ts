/**
 * What `import … from 'costate'` is inside a bundle: tasks can be declared and called, clusters can't be started. A module that
 * holds tasks and the program that submits them imports both; only the tasks run on a worker.
 */
export { isTaskContext } from './context.js'
export { createInlineContext } from './inline-context.js'
export { registerCodec } from './codec.js'
export { Complex128Array } from './complex-array.js'
export { NdArray } from './nd-array.js'
export { shared, SharedInput } from './shared-input.js'
export { ScatteredChunks } from './scattered-chunks.js'
export { ScatteredObject } from './scattered-object.js'
export { combinator, exportedTask } from './combinator.js'
export { ContextWithin } from './context-within.js'
export { functionOf, isTask, task } from './task.js'
export { MeshError, TaskCancelledError, TaskError } from './task-error.js'
export { TaskFuture } from './future.js'

/** The program that submits the tasks doesn't run on the workers. */
export function main(): void {
  // Empty, so that the bundler drops the call and the program with it.
}

/** Thrown by everything of the SDK that needs a cluster, when a bundle calls it. */
export class ClusterInTaskError extends Error {
  override readonly name = 'ClusterInTaskError'
  readonly code = 'COSTATE_CLUSTER_IN_TASK'

  constructor(functionName: string) {
    super(
      `${functionName}() was called on a worker, inside a bundle, where no cluster can be started or reached. ` +
        `If the module calls it when it is imported, wrap the program in main(import.meta, async () => { … }) ` +
        `or move the tasks into a module without side effects. If a task calls it, submit that work from the program instead.`,
    )
  }
}

/**
 * Whoever loads a bundle listens here: a program that catches the error and ends the process would otherwise hide it.
 */
const refusalListener = Symbol.for('costate.clusterInTask')

function refuse(functionName: string): never {
  const error = new ClusterInTaskError(functionName)
  const listener = (globalThis as { [refusalListener]?: unknown })[refusalListener]
  if (typeof listener === 'function') (listener as (error: Error) => void)(error)
  throw error
}

// Declared one by one: a bundler needs to see the names, and a function statement that nothing calls is dropped.
export function createLocalCluster(): never {
  return refuse('createLocalCluster')
}
export function createInlineCluster(): never {
  return refuse('createInlineCluster')
}
export function createSlurmCluster(): never {
  return refuse('createSlurmCluster')
}
export function connect(): never {
  return refuse('connect')
}
export function registerTask(): never {
  return refuse('registerTask')
}
export function asCompleted(): never {
  return refuse('asCompleted')
}
export function wait(): never {
  return refuse('wait')
}
export function graph(): never {
  return refuse('graph')
}
