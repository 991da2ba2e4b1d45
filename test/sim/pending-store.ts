import type { ObjectId, SessionId } from '#libs/domain'

/** A report of a scattered buffer that the scheduler has not acknowledged. */
export interface PendingStore {
  readonly requestId: string
  readonly sessionId: SessionId
  readonly objectId: ObjectId
  readonly acknowledged: () => void
  /** On the link that is open now, or in its hello. */
  said: boolean
}
