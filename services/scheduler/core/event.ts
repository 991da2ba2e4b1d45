import type { JobId, ObjectId, SessionId, TaskFailure, WorkerId } from '#libs/domain'

import type { BundledFunction, JobSpec } from './job-spec.js'
import type { WorkerPulse } from './pulse.js'
import type { ResultLocation, WorkerEnd, WorkerProfile } from './state.js'

/** One attempt of a task, as commands and reports name it. */
export interface AttemptRef {
  readonly jobId: JobId
  readonly index: number
  readonly epoch: number
  readonly attempt: number
}

/** An attempt that a worker has when it joins. What makes an input of another comes before that one. */
export interface ListedAttempt extends AttemptRef {
  /** It runs, or has ended; else it waits. */
  readonly running: boolean
  /** Whose results it took, or waits for, on the same worker. */
  readonly behind: readonly AttemptRef[]
  /** The number of the wait for tasks that it submitted, which it is in. */
  readonly wait?: number
  /** It has what it waits for, and wants a slot to go on. */
  readonly isOver?: boolean
}

/** How an attempt ended, as its worker reports it. */
export interface AttemptEnd extends AttemptRef {
  readonly outcome:
    | { readonly kind: 'finished'; readonly result: ResultLocation }
    | { readonly kind: 'failed'; readonly failure: TaskFailure }
  readonly startedAtMs: number
  readonly endedAtMs: number
  readonly slot: number
  readonly savedCheckpoint?: boolean
  /** How long its worker took to bring its inputs, when there were some to bring. */
  readonly fetchMs?: number
}

/** An attempt waits for tasks that it submitted, or has what it waited for and wants its slot back. */
export interface TaskWait extends AttemptRef {
  /** From 1 within the attempt. */
  readonly wait: number
  readonly isOver: boolean
}

/** An object as its holder describes it. */
export interface HeldObject {
  readonly objectId: ObjectId
  readonly descriptor: Uint8Array
  readonly byteLength: number
}

/** A client scattered buffers to a worker; their session keeps them alive. */
export interface StoredReport {
  readonly requestId: string
  readonly sessionId: SessionId | undefined
  readonly objects: readonly HeldObject[]
}

/** Who asked, so that the answer finds its way; nothing when nobody waits for one. */
interface Asked {
  readonly callId?: number
}

/** A request that is served once, however often it comes; without an id it is one of its own. */
interface Requested extends Asked {
  readonly requestId?: string
}

/** An object whose bytes are a blob of the checkpoint-store. */
export interface ArchivedObject {
  readonly objectId: ObjectId
  readonly blobDigest: string
}

/** What happened. Every event carries its time; nothing in the core looks at a clock. */
export type Event = { readonly atMs: number } & (
  | ({
      readonly kind: 'jobSubmitted'
      readonly requestId: string
      readonly sessionId?: SessionId
      readonly job: JobSpec
      /** The attempt of a task that submits it. */
      readonly parent?: AttemptRef
    } & Asked)
  | ({
      readonly kind: 'cancelRequested'
      readonly jobId: JobId
      readonly indices?: readonly number[]
      readonly reason: string
      /** Only if the job still has it. */
      readonly etag?: string
    } & Requested)
  | ({
      readonly kind: 'taskRegistered'
      readonly name: string
      readonly version: string
      readonly function: BundledFunction
    } & Requested)
  | ({
      readonly kind: 'persistRequested'
      readonly jobId: JobId
      readonly name: string
      readonly etag?: string
    } & Requested)
  | ({ readonly kind: 'drainRequested'; readonly workerId: WorkerId; readonly onlyIfIdle: boolean } & Requested)
  | { readonly kind: 'sessionOpened'; readonly sessionId: SessionId }
  | { readonly kind: 'sessionClosed'; readonly sessionId: SessionId }
  | ({ readonly kind: 'jobFollowed'; readonly sessionId: SessionId; readonly jobId: JobId } & Asked)
  | { readonly kind: 'objectsReleased'; readonly objectIds: readonly ObjectId[] }
  | {
      readonly kind: 'workerJoined'
      readonly profile: WorkerProfile
      readonly attempts: readonly ListedAttempt[]
      readonly objects: readonly HeldObject[]
      /** Reports of scattered buffers that it has heard no acknowledgement of; these buffers are not in `objects`. */
      readonly stored: readonly StoredReport[]
      /** How the worker ended in whose place it was started. */
      readonly predecessor?: WorkerEnd
    }
  | { readonly kind: 'workerHeard'; readonly workerId: WorkerId; readonly pulse: WorkerPulse }
  | { readonly kind: 'workerUnlinked'; readonly workerId: WorkerId }
  | { readonly kind: 'workerLeft'; readonly workerId: WorkerId }
  | {
      readonly kind: 'tasksStarted'
      readonly workerId: WorkerId
      readonly attempts: readonly (AttemptRef & { readonly startedAtMs: number })[]
    }
  | { readonly kind: 'tasksWaited'; readonly workerId: WorkerId; readonly waits: readonly TaskWait[] }
  | { readonly kind: 'tasksEnded'; readonly workerId: WorkerId; readonly ends: readonly AttemptEnd[] }
  | {
      readonly kind: 'tasksReturned'
      readonly workerId: WorkerId
      readonly attempts: readonly AttemptRef[]
      /** They were asked back; else the worker is about to leave. */
      readonly recalled?: boolean
    }
  | ({ readonly kind: 'objectsStored'; readonly workerId: WorkerId } & StoredReport)
  /** Everything that it ran is over: it asks what it must hand over before it leaves. */
  | { readonly kind: 'workerDeparting'; readonly workerId: WorkerId }
  /** The checkpoint-store has what the worker held. */
  | { readonly kind: 'objectsArchived'; readonly workerId: WorkerId; readonly objects: readonly ArchivedObject[] }
  | { readonly kind: 'objectsDropped'; readonly workerId: WorkerId; readonly objectIds: readonly ObjectId[] }
  | ({
      readonly kind: 'blobsScattered'
      readonly sessionId: SessionId
      readonly objects: readonly (HeldObject & ArchivedObject)[]
    } & Asked)
  | ({ readonly kind: 'archivesRequested'; readonly objectIds: readonly ObjectId[] } & Asked)
  | { readonly kind: 'timePassed' }
)

/** The event of one kind. */
export type EventOf<Kind extends Event['kind']> = Extract<Event, { kind: Kind }>
