export {
  isTaskContext,
  type CheckpointInfo,
  type ProgressDetail,
  type SavedCheckpoint,
  type TaskCheckpoint,
  type TaskContext,
  type TaskLog,
} from './context.js'
export { createInlineContext, type InlineContextOptions } from './inline-context.js'
export { NdArray, type ElementOf, type TypedArray } from './nd-array.js'
export { main } from './program.js'
export {
  isTask,
  task,
  type AnyTask,
  type Task,
  type TaskArguments,
  type TaskFunction,
  type TaskOptions,
  type TaskResult,
} from './task.js'
