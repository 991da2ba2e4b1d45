import type { Attempt, AttemptEnd, AttemptRef, MadeInput, TaskOrder } from './state.js'

/** What must be done. Effects expect no answer; answers come back as events. */
export type Effect =
  | { readonly kind: 'fetchInputs'; readonly order: TaskOrder }
  | {
      readonly kind: 'execute'
      readonly slot: number
      readonly order: TaskOrder
      /** The devices that are the attempt's own while it runs. */
      readonly devices: readonly number[]
      /** What was made here of what it was sent ahead of; and what is before it in the slot's line. */
      readonly made: readonly MadeInput[]
      readonly missing: readonly AttemptRef[]
    }
  /** Gives it up unless it has begun. */
  | { readonly kind: 'withdrawExecution'; readonly slot: number; readonly order: TaskOrder }
  | { readonly kind: 'stopExecution'; readonly slot: number; readonly order: TaskOrder; readonly reason: string }
  /** Asks it to end, and does no more than that. */
  | { readonly kind: 'notifyExecution'; readonly slot: number; readonly order: TaskOrder; readonly reason: string }
  /** Takes the attempt out of its slot, which others get. */
  | { readonly kind: 'parkExecution'; readonly slot: number; readonly order: TaskOrder }
  /** The attempt cannot wait without its slot: its wait fails. */
  | {
      readonly kind: 'refuseWait'
      readonly slot: number
      readonly order: TaskOrder
      readonly wait: number
      readonly message: string
    }
  /** The attempt goes on in this slot. */
  | { readonly kind: 'resumeExecution'; readonly slot: number; readonly order: TaskOrder; readonly wait: number }
  | { readonly kind: 'reportWait'; readonly ref: AttemptRef; readonly wait: number; readonly isOver: boolean }
  | { readonly kind: 'reportStarted'; readonly ref: AttemptRef; readonly slot: number; readonly startedAtMs: number }
  | { readonly kind: 'reportEnded'; readonly end: AttemptEnd; readonly order: TaskOrder | undefined }
  | { readonly kind: 'returnTask'; readonly ref: AttemptRef; readonly recalled: boolean }
  | { readonly kind: 'dropInputs'; readonly attempt: Attempt }
  | { readonly kind: 'leave' }
  /** Leaves at once, whatever runs, and lets another process take the place. */
  | { readonly kind: 'giveUp'; readonly reason: string }
