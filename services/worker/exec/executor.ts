import type { TaskFailure } from '#libs/domain'

import type { AttemptKey, EndOutcome, TaskOrder } from '../core/state.js'
import type { FetchedInputs } from '../objects/fetched-input.js'
import { Slot, type SlotListeners } from './slot.js'
import type { StartHost } from './slot-host.js'
import type { AwaitedInput } from './slot-messages.js'

/** What happens in the slots, as the executor sees it. */
export interface ExecutorEvents {
  started(key: AttemptKey, startedAtMs: number): void
  ended(key: AttemptKey, outcome: EndOutcome, startedAtMs: number, endedAtMs: number): void
  /** The task does nothing but wait for tasks that it submitted; it goes on when it is resumed. */
  awaits(key: AttemptKey, wait: number): void
  /** It has what it waited for. */
  woke(key: AttemptKey, wait: number): void
  /** The slot came to tasks whose inputs were not made in it; they have not begun. */
  passedOver(keys: readonly AttemptKey[]): void
  /** The slot's thread or process is gone; it is started again by itself. */
  slotLost(slot: number, failure: TaskFailure): void
  /** The thread or process of a task that waits without a slot is gone. */
  parkedLost(key: AttemptKey, failure: TaskFailure): void
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
  /** Asks a task to end. One that waits in the line is dropped. */
  notifyTask(slot: number, key: AttemptKey, reason: string): void
  /** Takes a task that waits out of its slot, with its thread or process: the slot gets another, and its line is empty. */
  park(slot: number, key: AttemptKey): void
  /** A parked task goes on in this slot, which is empty; one that waits in its slot goes on there, with its wait refused. */
  resume(slot: number, key: AttemptKey, wait: number, refusal?: string): void
  /** Memory is nearly full: everything gives back what it does not use any more. */
  collect(): void
  stop(): Promise<void>
}

/** So many threads or processes beside those of the slots are kept for the next task that waits. */
const spareHosts = 2

/** An executor whose slots are what `startHost` starts: threads, or processes. */
export function createExecutor(
  slots: number,
  events: ExecutorEvents,
  listeners: SlotListeners,
  startHost: StartHost,
): Executor {
  // An attempt that was in a slot when it was lost may be what ended it, wherever it runs next.
  const doubtful = new Set<AttemptKey>()
  const parked = new Map<AttemptKey, Slot>()
  const spares: Slot[] = []
  const own: ExecutorEvents = {
    ...events,
    ended: (key, ...end) => {
      const slot = parked.get(key)
      events.ended(key, ...end)
      if (slot && parked.delete(key)) retire(slot)
    },
    parkedLost: (key, failure) => {
      parked.delete(key)
      events.parkedLost(key, failure)
    },
  }
  const start = (number: number): Slot => new Slot(number, own, listeners, startHost, doubtful)
  const all = Array.from({ length: slots }, (_, number) => start(number))

  /** It may have left the slot that it was in, or gone on in another one. */
  const slotWith = (key: AttemptKey): Slot | undefined => parked.get(key) ?? all.find((slot) => slot.has(key))

  function retire(slot: Slot): void {
    if (spares.length < slots + spareHosts) {
      slot.rest(() => spares.splice(spares.indexOf(slot), 1))
      spares.push(slot)
    } else void slot.stop()
  }

  return {
    execute: (slot, tasks) => all[slot]?.execute(tasks),
    withdraw: (slot, key) => all[slot]?.withdraw(key) ?? false,
    stopTask: (_slot, key, reason) => slotWith(key)?.stopTask(key, reason),
    notifyTask: (_slot, key, reason) => slotWith(key)?.notifyTask(key, reason),
    park: (number, key) => {
      const slot = all[number]
      if (!slot?.park(key)) return
      parked.set(key, slot)
      const spare = spares.pop()
      spare?.serve(number)
      all[number] = spare ?? start(number)
    },
    resume: (number, key, wait, refusal) => {
      const slot = parked.get(key)
      if (refusal !== undefined) all[number]?.resume(key, wait, refusal)
      if (slot === undefined) return
      parked.delete(key)
      const idle = all[number]
      all[number] = slot
      slot.serve(number)
      slot.resume(key, wait)
      if (idle) retire(idle)
    },
    collect: () => {
      for (const slot of [...all, ...parked.values(), ...spares]) slot.collect()
    },
    stop: async () => {
      await Promise.all([...all, ...parked.values(), ...spares].map((slot) => slot.stop()))
    },
  }
}
