import type { JobId, ObjectId, SessionId, TaskFailure, WorkerId } from '#libs/domain'

import type { AttemptRef } from './event.js'
import type { Fact } from './fact.js'
import type { Task, WorkerView } from './state.js'

/** A request that cannot be served; becomes an RPC status at the rim. */
export interface Refusal {
  readonly code:
    'INVALID_ARGUMENT' | 'NOT_FOUND' | 'ALREADY_EXISTS' | 'FAILED_PRECONDITION' | 'RESOURCE_EXHAUSTED' | 'ABORTED'
  readonly reason: string
  readonly message: string
  readonly metadata?: Readonly<Record<string, string>>
  /** Which fields of the request are wrong. */
  readonly fieldViolations?: readonly { readonly field: string; readonly description: string }[]
  /** What was not found, or is in the way. */
  readonly resource?: { readonly type: string; readonly name: string }
  /** Which limits are reached. */
  readonly quotas?: readonly { readonly subject: string; readonly description: string }[]
  readonly retryDelayMs?: number
}

/** What a question is answered with. */
export interface AnswerContent {
  readonly refusal?: Refusal
  readonly jobId?: JobId
  /** The worker as it was, for those who ask again when it has left. */
  readonly worker?: WorkerView
}

/** What must be done. Effects expect no answer; answers come back as events. */
export type Effect =
  | {
      readonly kind: 'runTask'
      readonly workerId: WorkerId
      readonly task: Task
      readonly attempt: number
      readonly epoch: number
    }
  | {
      readonly kind: 'cancelAttempt'
      readonly workerId: WorkerId
      readonly attempt: AttemptRef
      readonly reason: string
    }
  /** It has a slot again after this wait. */
  | { readonly kind: 'resumeTask'; readonly workerId: WorkerId; readonly attempt: AttemptRef; readonly wait: number }
  /** The worker gives it back unless it has begun. */
  | { readonly kind: 'recallTask'; readonly workerId: WorkerId; readonly attempt: AttemptRef }
  | { readonly kind: 'acknowledgeEnd'; readonly workerId: WorkerId; readonly attempt: AttemptRef }
  | { readonly kind: 'releaseObject'; readonly workerId: WorkerId; readonly objectId: ObjectId }
  | { readonly kind: 'acknowledgeStored'; readonly workerId: WorkerId; readonly requestId: string }
  | { readonly kind: 'drainWorker'; readonly workerId: WorkerId; readonly reason: string }
  /** The worker brings these into the checkpoint-store and asks again; when there are none, it leaves. */
  | { readonly kind: 'handOver'; readonly workerId: WorkerId; readonly objectIds: readonly ObjectId[] }
  /** The checkpoint-store need not keep the blob for the object any more: the worker tells it. */
  | {
      readonly kind: 'releaseArchive'
      readonly workerId: WorkerId
      readonly objectId: ObjectId
      readonly blobDigest: string
    }
  | { readonly kind: 'dismissWorker'; readonly workerId: WorkerId; readonly reason: string }
  | { readonly kind: 'notifySettled'; readonly task: Task; readonly to: ReadonlySet<SessionId> }
  | { readonly kind: 'notifyJob'; readonly jobId: JobId; readonly to: ReadonlySet<SessionId> }
  | {
      readonly kind: 'notifyLost'
      readonly objectId: ObjectId
      readonly failure: TaskFailure
      readonly to: ReadonlySet<SessionId>
    }
  | {
      readonly kind: 'notifyArchived'
      readonly objectId: ObjectId
      readonly blobDigest: string
      readonly to: ReadonlySet<SessionId>
    }
  | ({ readonly kind: 'answer'; readonly callId: number } & AnswerContent)

/** Where `decide` puts what follows from an event. */
export interface Out {
  readonly facts: Fact[]
  readonly effects: Effect[]
}

export function createOut(): Out {
  return { facts: [], effects: [] }
}

/** Answers who asked, when somebody did. */
export function answer(out: Out, event: { readonly callId?: number }, content: AnswerContent = {}): void {
  if (event.callId !== undefined) out.effects.push({ kind: 'answer', callId: event.callId, ...content })
}

/** The job settled long ago: how it ended is known, its results are not. */
export function retiredJob(jobId: JobId): Refusal {
  const message = `the results of job ${jobId} are kept no longer: persist a job whose results you want for longer`
  return { code: 'NOT_FOUND', reason: 'JOB_NOT_FOUND', message, metadata: { jobId } }
}

/** Nothing is known of the job. */
export function unknownJob(jobId: JobId): Refusal {
  const message = `job ${jobId} is unknown or forgotten`
  const resource = { type: 'costate.job', name: jobId }
  return { code: 'NOT_FOUND', reason: 'JOB_NOT_FOUND', message, metadata: { jobId }, resource }
}

/**
 * What is done before the facts are remembered, and what after. A dispatch need not wait: when a crash forgets what it follows
 * from, it was a run in vain. Nobody had heard that its job is recorded, and its end, of an epoch that is over, settles nothing.
 * But nothing that is remembered as settled runs again, and where a worker is told to forget an object, the run that makes it
 * again must come after.
 */
export function byFlush({ facts, effects }: Out): {
  readonly early: readonly Effect[]
  readonly late: readonly Effect[]
} {
  const waits =
    facts.some(({ kind }) => kind === 'taskReopened') || effects.some(({ kind }) => kind === 'releaseObject')
  if (waits) return { early: [], late: effects }
  return {
    early: effects.filter(({ kind }) => kind === 'runTask'),
    late: effects.filter(({ kind }) => kind !== 'runTask'),
  }
}
