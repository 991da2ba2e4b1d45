import type { JobId, ObjectId, SessionId, WorkerId } from '#libs/domain'

import type {
  ArchivedObject,
  AttemptEnd,
  AttemptRef,
  HeldObject,
  ListedAttempt,
  StoredReport,
  TaskWait,
} from '../../services/scheduler/core/event.js'
import type { JobSpec } from '../../services/scheduler/core/job-spec.js'
import type { Outcome, ResultLocation, WorkerEnd, WorkerProfile } from '../../services/scheduler/core/state.js'

/** What a worker says on its link. */
export type Report =
  | {
      readonly kind: 'hello'
      readonly profile: WorkerProfile
      readonly attempts: readonly ListedAttempt[]
      readonly objects: readonly HeldObject[]
      readonly stored: readonly StoredReport[]
      readonly predecessor?: WorkerEnd
    }
  | { readonly kind: 'heartbeat' }
  | { readonly kind: 'started'; readonly attempt: AttemptRef }
  | { readonly kind: 'waits'; readonly wait: TaskWait }
  | { readonly kind: 'ended'; readonly end: AttemptEnd }
  | { readonly kind: 'returned'; readonly attempt: AttemptRef; readonly recalled: boolean }
  | {
      readonly kind: 'stored'
      readonly requestId: string
      readonly sessionId: SessionId | undefined
      readonly objects: readonly HeldObject[]
    }
  | { readonly kind: 'departing' }
  | { readonly kind: 'archived'; readonly object: ArchivedObject }
  | { readonly kind: 'goodbye' }

/** An input of an order: its value, or who held it when the order was given. */
export interface OrderedInput {
  readonly objectId: ObjectId
  readonly result: ResultLocation
  readonly holders: readonly WorkerId[]
  /** Its name in the checkpoint-store, when it is there. */
  readonly archive: string | undefined
}

export interface Order extends AttemptRef {
  readonly taskName: string
  readonly gpus: number
  readonly urgent: boolean
  readonly inputs: readonly OrderedInput[]
  /** The attempts, sent to the same worker before, that make its other inputs. */
  readonly behind: readonly AttemptRef[]
}

/** What the scheduler says on a link. */
export type Command =
  | { readonly kind: 'welcome' }
  | { readonly kind: 'run'; readonly orders: readonly Order[] }
  | { readonly kind: 'cancel'; readonly attempts: readonly AttemptRef[] }
  | { readonly kind: 'acknowledge'; readonly attempts: readonly AttemptRef[] }
  | { readonly kind: 'release'; readonly objectIds: readonly ObjectId[] }
  | { readonly kind: 'acknowledgeStored'; readonly requestId: string }
  | { readonly kind: 'recall'; readonly attempts: readonly AttemptRef[] }
  | { readonly kind: 'resume'; readonly attempt: AttemptRef; readonly wait: number }
  | { readonly kind: 'handOver'; readonly objectIds: readonly ObjectId[] }
  | { readonly kind: 'releaseArchive'; readonly blobDigest: string }
  | { readonly kind: 'drain' }

/** What a client says on its session. */
export type Request =
  | { readonly kind: 'hello'; readonly sessionId: SessionId }
  | { readonly kind: 'submit'; readonly requestId: string; readonly job: JobSpec; readonly parent?: AttemptRef }
  | { readonly kind: 'cancel'; readonly jobId: JobId; readonly indices: readonly number[] | undefined }
  | { readonly kind: 'release'; readonly objectIds: readonly ObjectId[] }
  | { readonly kind: 'follow'; readonly jobId: JobId }
  | { readonly kind: 'scatterBlob'; readonly objectId: ObjectId; readonly blobDigest: string }
  | { readonly kind: 'archive'; readonly objectIds: readonly ObjectId[] }

/** What the scheduler says on a session. */
export type Response =
  | { readonly kind: 'welcome' }
  | { readonly kind: 'submitted'; readonly requestId: string; readonly jobId: JobId }
  | { readonly kind: 'refused'; readonly requestId: string; readonly reason: string }
  | { readonly kind: 'settled'; readonly jobId: JobId; readonly index: number; readonly outcome: Outcome }
  | { readonly kind: 'lost'; readonly objectId: ObjectId }
  | { readonly kind: 'scattered'; readonly objectId: ObjectId }

/** A message in the story of a run that failed. */
export function describeMessage(message: Report | Command): string {
  return [message.kind, ...namesIn(message)].join(' ')
}

function namesIn(message: Report | Command): string[] {
  switch (message.kind) {
    case 'hello':
      return [...message.attempts.map(nameOfAttempt), ...message.objects.map(({ objectId }) => objectId)]
    case 'run':
      return message.orders.map(nameOfAttempt)
    case 'started':
      return [nameOfAttempt(message.attempt)]
    case 'waits':
      return [nameOfAttempt(message.wait), message.wait.isOver ? 'over' : '']
    case 'resume':
      return [nameOfAttempt(message.attempt)]
    case 'ended':
      return [nameOfAttempt(message.end), message.end.outcome.kind]
    case 'returned':
      return [nameOfAttempt(message.attempt)]
    case 'cancel':
    case 'acknowledge':
      return message.attempts.map(nameOfAttempt)
    case 'release':
    case 'handOver':
      return [...message.objectIds]
    case 'archived':
      return [message.object.objectId]
    case 'stored':
      return message.objects.map(({ objectId }) => objectId)
    case 'acknowledgeStored':
      return [message.requestId]
    default:
      return []
  }
}

function nameOfAttempt({ jobId, index, epoch, attempt }: AttemptRef): string {
  return `${jobId}/${index}@${epoch}.${attempt}`
}
