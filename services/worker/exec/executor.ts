import type { AttemptKey, EndOutcome, TaskOrder } from '../core/state.js'
import type { TaskFailure } from '#libs/domain'
import type { FetchedInputs } from '../objects/fetched-input.js'

/** What happens in the slots, as the executor sees it. */
export interface ExecutorEvents {
  started(key: AttemptKey, startedAtMs: number): void
  ended(key: AttemptKey, outcome: EndOutcome, startedAtMs: number, endedAtMs: number): void
  /** The slot's thread or process is gone; it is started again by itself. */
  slotLost(slot: number, failure: TaskFailure): void
}

/** Runs tasks in slots, each slot one task at a time. */
export interface Executor {
  /** Puts the tasks at the end of the slot's line. */
  execute(slot: number, tasks: readonly { readonly order: TaskOrder; readonly inputs: FetchedInputs }[]): void
  /** Stops a task: asks it first, then ends its slot. A task that waits in the line is dropped. */
  stopTask(slot: number, key: AttemptKey, reason: string): void
  stop(): Promise<void>
}
