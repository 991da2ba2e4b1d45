import type { AttemptKey, EndOutcome, TaskOrder } from '../core/state.js'
import type { TaskFailure } from '#libs/domain'
import type { FetchedInputs } from '../objects/fetched-input.js'
import { Slot, type SlotListeners } from './slot.js'
import type { StartHost } from './slot-host.js'
import type { AwaitedInput } from './slot-messages.js'

/** What happens in the slots, as the executor sees it. */
export interface ExecutorEvents {
  started(key: AttemptKey, startedAtMs: number): void
  ended(key: AttemptKey, outcome: EndOutcome, startedAtMs: number, endedAtMs: number): void
  /** The slot came to tasks whose inputs were not made in it; they have not begun. */
  passedOver(keys: readonly AttemptKey[]): void
  /** The slot's thread or process is gone; it is started again by itself. */
  slotLost(slot: number, failure: TaskFailure): void
  /** The slot's thread does not end while its task is in native code: only the end of the worker ends it. */
  slotStuck(slot: number, key: AttemptKey, failure: TaskFailure): void
}

/** A task with what it needs to run. */
export interface Execution {
  readonly order: TaskOrder
  readonly inputs: FetchedInputs
  /** The devices that are its own while it runs. */
  readonly devices: readonly number[]
  /** Inputs that are the results of tasks before it in the slot's line; nothing for most. */
  readonly awaited?: readonly AwaitedInput[]
}

/** Runs tasks in slots, each slot one task at a time. */
export interface Executor {
  /** Puts the tasks at the end of the slot's line. */
  execute(slot: number, tasks: readonly Execution[]): void
  /** Gives up a task that waits in the line; false when it has begun, or that cannot be told. */
  withdraw(slot: number, key: AttemptKey): boolean
  /** Stops a task: asks it first, then ends its slot. A task that waits in the line is dropped. */
  stopTask(slot: number, key: AttemptKey, reason: string): void
  stop(): Promise<void>
}

/** An executor whose slots are what `startHost` starts: threads, or processes. */
export function createExecutor(
  slots: number,
  events: ExecutorEvents,
  listeners: SlotListeners,
  startHost: StartHost,
): Executor {
  // An attempt that was in a slot when it was lost may be what ended it, wherever it runs next.
  const doubtful = new Set<AttemptKey>()
  const all = Array.from({ length: slots }, (_, number) => new Slot(number, events, listeners, startHost, doubtful))
  return {
    execute: (slot, tasks) => all[slot]?.execute(tasks),
    withdraw: (slot, key) => all[slot]?.withdraw(key) ?? false,
    stopTask: (slot, key, reason) => all[slot]?.stopTask(key, reason),
    stop: async () => {
      await Promise.all(all.map((slot) => slot.stop()))
    },
  }
}
