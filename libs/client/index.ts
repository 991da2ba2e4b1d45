export { asCompleted, wait } from './as-completed.js'
export type { Completion, WaitResult } from './as-completed.js'
export type {
  CheckpointChange,
  Checkpoints,
  LoadedCheckpoint,
  PruneOptions,
  SaveCheckpointOptions,
} from './checkpoints.js'
export type { ChunkedScatterOptions, Cluster, ReplicateOptions, ScatterOptions, WorkerInfo } from './cluster.js'
export { connect } from './connect.js'
export type { ConnectOptions } from './connect.js'
export type { GraphBuilder } from './graph.js'
export { createInlineCluster } from './inline-cluster.js'
export type { InlineClusterOptions } from './inline-cluster.js'
export { createLocalCluster } from './local-cluster.js'
export type { LocalClusterOptions } from './local-cluster.js'
export { createSlurmCluster } from './slurm-cluster.js'
export type { SlurmClusterOptions, SlurmPool } from './slurm-options.js'
export type { NearCheckpoint } from './nearest-checkpoints.js'
export type { NamedJob } from './mesh-profile.js'
export type { NamedTask, StoryLine } from './task-answers.js'
export {
  Complex128Array,
  createInlineContext,
  isTask,
  isTaskContext,
  main,
  MeshError,
  NdArray,
  registerCodec,
  ScatteredChunks,
  ScatteredObject,
  shared,
  SharedInput,
  task,
  TaskCancelledError,
  TaskError,
  TaskFuture,
} from '#libs/task'
export type {
  AnyTask,
  Argument,
  Arguments,
  CheckpointInfo,
  ChunkOf,
  ChunkOptions,
  Codec,
  Complex,
  DurabilityLevel,
  FutureStatus,
  GatherOptions,
  GraphTaskOptions,
  Job,
  JobCounts,
  NumericArray,
  ProgressReport,
  ResultOf,
  RetryOptions,
  SavedCheckpoint,
  SubmitOptions,
  Submitter,
  Task,
  TaskContext,
  TaskLine,
  TaskOptions,
  Timing,
  TypedArray,
} from '#libs/task'
export type { FailedAttempt, RetryableKind, Rng } from '#libs/domain'
export { renderFlameGraph as flameGraph, toSpeedscope } from '#libs/profile'
export type {
  CpuSamples,
  CriticalPath,
  CriticalStep,
  JobProfile,
  PhaseName,
  ProfilePhase,
  ProfileWorker,
} from '#libs/profile'
export type { CheckpointDescription } from '#libs/checkpoint'
