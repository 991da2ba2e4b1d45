import type { TaskFailure } from '#libs/domain'

import type { SlotLoans } from './slot-loans.js'
import type { ClaimBook } from './line-claims.js'
import type { SlotNews, ToSlot } from './slot-messages.js'

/** What a slot hears of its thread or process. */
export interface HostEvents {
  heard(message: SlotNews): void
  /** A line that was written beside the messages: by native code, or in the last moment of a process. */
  wrote(level: 'info' | 'error', text: string): void
  /** It is gone. `failure` is how that fails the task that ran in it. */
  ended(failure: TaskFailure): void
  /** It was told to end, and does not. */
  stuck(): void
}

/** Where a slot's tasks run: a thread or a process, which can be ended whatever it does. */
export interface SlotHost {
  /** `transfer` names buffers in the message that need no copy: where memory can be handed over, they are gone here. */
  post(message: ToSlot, transfer?: readonly ArrayBuffer[]): void
  /** Who has a task of the line; nothing where memory is not shared. */
  readonly claims: ClaimBook | undefined
  /** What it has of this side's memory; nothing where memory cannot be lent. */
  readonly memory?: SlotLoans | undefined
  /** Hears what it has said, all of it. */
  catchUp(): void
  /** Ends it; `ended` follows. */
  end(): void
  /** Ends it for good: nothing follows. */
  stop(): Promise<void>
}

export type StartHost = (slot: number, events: HostEvents) => SlotHost
