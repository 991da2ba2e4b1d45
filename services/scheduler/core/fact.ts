import type { JobId, ObjectId, SessionId } from '#libs/domain'

import type { AttemptRecord, BundledFunction, JobSpec, Outcome, RememberedAnswer } from './state.js'

/** What a restart must know. Facts are journaled before anything that follows from them is visible. */
export type Fact =
  | { readonly kind: 'epochRaised'; readonly epoch: number }
  | {
      readonly kind: 'jobSubmitted'
      readonly atMs: number
      readonly requestId: string
      readonly sessionId: SessionId | undefined
      readonly job: JobSpec
    }
  | {
      readonly kind: 'taskSettled'
      readonly atMs: number
      readonly jobId: JobId
      readonly index: number
      readonly outcome: Outcome
      readonly record: AttemptRecord
    }
  | { readonly kind: 'attemptLost'; readonly jobId: JobId; readonly index: number }
  /** The task was one of several that may have ended their worker. */
  | { readonly kind: 'taskSuspected'; readonly jobId: JobId; readonly index: number }
  /** The result is lost and is computed again. */
  | { readonly kind: 'taskReopened'; readonly jobId: JobId; readonly index: number }
  | { readonly kind: 'jobCancelled'; readonly jobId: JobId }
  | { readonly kind: 'jobPersisted'; readonly jobId: JobId; readonly name: string }
  | { readonly kind: 'jobForgotten'; readonly jobId: JobId }
  | { readonly kind: 'requestAnswered'; readonly requestId: string; readonly answer: RememberedAnswer }
  | { readonly kind: 'taskRegistered'; readonly key: string; readonly function: BundledFunction }
  | {
      readonly kind: 'objectStored'
      readonly objectId: ObjectId
      readonly sessionId: SessionId | undefined
      readonly descriptor: Uint8Array
      readonly byteLength: number
    }
  | { readonly kind: 'objectReleased'; readonly objectId: ObjectId }
  | { readonly kind: 'objectForgotten'; readonly objectId: ObjectId }
