import type { FailedAttempt, JobId, ObjectId, RetryableKind, SessionId, WorkerId } from '#libs/domain'

import type { BundledFunction, JobSpec, TaskSpec } from './job-spec.js'
import type { AttemptRecord, JobRecord, Outcome, RememberedAnswer } from './state.js'
import type { Confinement } from './standing.js'

/** What a restart must know. Facts are journaled before anything that follows from them is visible. */
export type Fact =
  | { readonly kind: 'epochRaised'; readonly epoch: number }
  | {
      readonly kind: 'jobSubmitted'
      readonly atMs: number
      readonly requestId: string
      readonly sessionId: SessionId | undefined
      /** Jobs are numbered in the order of their submits, also when earlier ones are forgotten. */
      readonly number: number
      readonly job: JobSpec
    }
  /** More tasks of a job that was written down in parts. */
  | { readonly kind: 'tasksAdded'; readonly jobId: JobId; readonly tasks: readonly TaskSpec[] }
  | {
      readonly kind: 'taskSettled'
      readonly atMs: number
      readonly jobId: JobId
      readonly index: number
      readonly outcome: Outcome
      readonly record: AttemptRecord
    }
  /** An attempt failed, and the task may be tried again. */
  | {
      readonly kind: 'attemptFailed'
      readonly jobId: JobId
      readonly index: number
      readonly epoch: number
      readonly failed: FailedAttempt
      /** Against the limit of which class it counts; nothing when the task is not to blame. */
      readonly charged: RetryableKind | undefined
      /** Its worker said that it is over. Else the worker may come back with it. */
      readonly over: boolean
      /** The task is tried again then at the earliest; nothing when it fails for good. */
      readonly retryAtMs: number | undefined
    }
  | { readonly kind: 'attemptLost'; readonly jobId: JobId; readonly index: number }
  /** The task was one of several that may have ended their worker. */
  | { readonly kind: 'taskSuspected'; readonly jobId: JobId; readonly index: number }
  /** The result is lost and is computed again. */
  | { readonly kind: 'taskReopened'; readonly jobId: JobId; readonly index: number }
  | { readonly kind: 'jobCancelled'; readonly jobId: JobId }
  | { readonly kind: 'jobPersisted'; readonly jobId: JobId; readonly name: string }
  /** A settled job's results are kept no longer; the record is left. */
  | { readonly kind: 'jobRetired'; readonly record: JobRecord }
  | { readonly kind: 'jobForgotten'; readonly jobId: JobId }
  | { readonly kind: 'requestAnswered'; readonly requestId: string; readonly answer: RememberedAnswer }
  | { readonly kind: 'requestForgotten'; readonly requestId: string }
  | { readonly kind: 'taskRegistered'; readonly key: string; readonly function: BundledFunction }
  | {
      readonly kind: 'objectStored'
      readonly objectId: ObjectId
      readonly sessionId: SessionId | undefined
      readonly descriptor: Uint8Array
      readonly byteLength: number
    }
  /** The checkpoint-store has its bytes: it outlives the workers that hold it. */
  | { readonly kind: 'objectArchived'; readonly objectId: ObjectId; readonly blobDigest: string }
  /** The checkpoint-store does not have it any more. */
  | { readonly kind: 'archiveLost'; readonly objectId: ObjectId }
  | { readonly kind: 'objectReleased'; readonly objectId: ObjectId }
  /** Results that a client gave up in one go: mostly those of a whole job. */
  | { readonly kind: 'resultsReleased'; readonly jobId: JobId; readonly indices: readonly number[] }
  | { readonly kind: 'objectForgotten'; readonly objectId: ObjectId }
  /** The worker may have something from now on: after a restart it is waited for. */
  | { readonly kind: 'workerAttached'; readonly workerId: WorkerId }
  /** It failed so often that it gets no tasks for a while; with no confinement, it gets some again. */
  | { readonly kind: 'workerConfined'; readonly workerId: WorkerId; readonly confinement: Confinement | undefined }
  /** It left, or is taken for lost. */
  | { readonly kind: 'workerDetached'; readonly workerId: WorkerId }
  /** The same of all workers of a host. */
  | { readonly kind: 'hostConfined'; readonly host: string; readonly confinement: Confinement }
  | { readonly kind: 'hostFreed'; readonly host: string }

/** The facts of one kind. */
export type FactOf<K extends Fact['kind']> = Extract<Fact, { readonly kind: K }>
