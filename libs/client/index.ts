export { asCompleted, wait } from './as-completed.js'
export type { Completion, WaitResult } from './as-completed.js'
export type {
  Argument,
  Arguments,
  Cluster,
  GatherOptions,
  ResultOf,
  RetryOptions,
  ScatterOptions,
  SubmitOptions,
  WorkerInfo,
} from './cluster.js'
export { connect } from './connect.js'
export type { ConnectOptions } from './connect.js'
export type { DurabilityLevel } from './durability.js'
export { TaskFuture } from './future.js'
export type { FutureStatus, Timing } from './future.js'
export type { GraphBuilder } from './graph.js'
export { createInlineCluster } from './inline-cluster.js'
export type { Job, JobCounts, ProgressReport, TaskLine } from './job.js'
export { createLocalCluster } from './local-cluster.js'
export type { LocalClusterOptions } from './local-cluster.js'
export type { NamedTask, StoryLine } from './task-answers.js'
export { ScatteredObject } from './scattered-object.js'
export type { GraphTaskOptions } from './task-terms.js'
export { MeshError, TaskCancelledError, TaskError } from './task-error.js'
export { createInlineContext, isTask, isTaskContext, main, NdArray, task } from '#libs/task'
export type { Task, TaskContext, TaskOptions, TypedArray } from '#libs/task'
export type { FailedAttempt, RetryableKind, Rng } from '#libs/domain'
