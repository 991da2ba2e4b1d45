export { CheckpointPace } from './checkpoint-pace.js'
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
export { combinator, compositionOf, type Composition, exportedTask, type Parts } from './combinator.js'
export { ContextWithin } from './context-within.js'
export { type ArrayStream, chunkLengthOf, type ChunkOf, type ChunkOptions, notAnArray } from './array-chunks.js'
export { codecsOf, ownCodecs, registerCodec, type Codec, type Codecs } from './codec.js'
export { Complex128Array, isComplexArray, type Complex } from './complex-array.js'
export { isNdArray, NdArray, type ElementOf, type NumericArray, type TypedArray } from './nd-array.js'
export { type FutureBackend, type FutureStatus, TaskFuture, type Timing } from './future.js'
export { resultsOf } from './gather.js'
export type { Job, JobCounts, ProgressReport, TaskLine } from './job.js'
export { main } from './program.js'
export { raceFutures } from './race.js'
export { ScatteredChunks, scatterEach } from './scattered-chunks.js'
export { ScatteredObject } from './scattered-object.js'
export { isSharedInput, shared, SharedInput } from './shared-input.js'
export type {
  Argument,
  Arguments,
  DurabilityLevel,
  GatherOptions,
  GraphTaskOptions,
  ResultOf,
  RetryOptions,
  SubmitOptions,
} from './submit-options.js'
export type { Submitter } from './submitter.js'
export { errorOfFailure, MeshError, TaskCancelledError, TaskError } from './task-error.js'
export { zipArguments } from './zip-arguments.js'
export {
  functionOf,
  isTask,
  task,
  type AnyTask,
  type Task,
  type TaskArguments,
  type TaskFunction,
  type TaskOptions,
  type TaskResult,
} from './task.js'
