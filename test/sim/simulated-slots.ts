import type { ObjectId } from '#libs/domain'

import type { Effect } from '../../services/worker/core/effect.js'
import { type AttemptKey, type EndOutcome, keyOf, type TaskOrder } from '../../services/worker/core/state.js'
import type { UntimedEvent } from '../../services/worker/loop.js'
import type { World } from './world.js'

/** What a run comes to, and when. */
export interface Run {
  readonly runMs: number
  /** It ends its thread instead of itself. */
  readonly exits: boolean
  /** Takes the result into the worker's memory when it is large. */
  readonly end: () => EndOutcome
}

/** What a task has that was sent ahead of its inputs: those that were made, and those that are before it in the line. */
type Ahead = Pick<Extract<Effect, { kind: 'execute' }>, 'made' | 'missing'>

interface Slot {
  readonly line: TaskOrder[]
  /** Raised when the thread is another one: what the earlier one began does not end. */
  life: number
  isRunning: boolean
  readonly ahead: Map<AttemptKey, Ahead>
  /** What tasks made here that others in the line take. */
  readonly kept: Map<AttemptKey, number>
}

/** How long a task may take to hear that it must stop; one in native code hears it only when its thread is ended. */
const stopMs = [0, 60] as const
const stopGraceMs = 1_000
/** Starts of tasks as short as this are often not said. */
const silentMs = 4

/** The threads of a worker in virtual time: each runs its line of tasks in order. */
export class SimulatedSlots {
  readonly #world: World
  readonly #isAlive: () => boolean
  readonly #begin: (order: TaskOrder, made: ReadonlyMap<ObjectId, number>) => Run
  readonly #valueOf: (outcome: EndOutcome) => number | undefined
  readonly #post: (event: UntimedEvent) => void
  readonly #slots: Slot[]

  constructor(
    count: number,
    world: World,
    worker: {
      readonly isAlive: () => boolean
      /** A task starts to run: its inputs are taken now. */
      readonly begin: (order: TaskOrder, made: ReadonlyMap<ObjectId, number>) => Run
      /** What a task made that ended so. */
      readonly valueOf: (outcome: EndOutcome) => number | undefined
      readonly post: (event: UntimedEvent) => void
    },
  ) {
    this.#world = world
    this.#isAlive = worker.isAlive
    this.#begin = worker.begin
    this.#valueOf = worker.valueOf
    this.#post = worker.post
    this.#slots = Array.from({ length: count }, () => ({
      line: [],
      life: 0,
      isRunning: false,
      ahead: new Map(),
      kept: new Map(),
    }))
  }

  get busyCount(): number {
    return this.#slots.filter(({ line, isRunning }) => isRunning || line.length > 0).length
  }

  execute(index: number, order: TaskOrder, ahead: Ahead): void {
    const slot = this.#slots[index]
    if (slot === undefined) throw new Error(`there is no slot ${index}`)
    // A thread would run it twice.
    if (slot.line.some((other) => keyOf(other) === keyOf(order)))
      throw new Error(`${keyOf(order)} is in slot ${index} twice`)
    slot.line.push(order)
    slot.ahead.set(keyOf(order), ahead)
    if (!slot.isRunning) this.#runNext(index, slot)
  }

  /** What runs is told to stop; what waits is dropped. */
  stop(index: number, key: AttemptKey): void {
    const slot = this.#slots[index]
    const at = slot?.line.findIndex((order) => keyOf(order) === key) ?? -1
    if (slot === undefined || at < 0) return
    const { life } = slot
    if (at === 0 && slot.isRunning) {
      // A task that does not listen may end by itself, or with its thread.
      if (this.#world.chance(0.5)) {
        this.#later(slot, this.#world.between(...stopMs), () => this.#end(index, slot, key, cancelled))
      }
      this.#later(slot, stopGraceMs, () => {
        if (slot.life === life && slot.line[0] && keyOf(slot.line[0]) === key) this.#lose(index, slot, cancelled)
      })
      return
    }
    this.#later(slot, this.#world.between(0, 2), () => {
      // It may have begun meanwhile.
      const now = slot.line.findIndex((order) => keyOf(order) === key)
      if (now < 0 || (now === 0 && slot.isRunning)) return
      slot.line.splice(now, 1)
      this.#post({ kind: 'attemptEnded', key, outcome: cancelled, ...this.#times(this.#world.nowMs) })
    })
  }

  /** What has not begun is given up. */
  withdraw(index: number, key: AttemptKey): void {
    const slot = this.#slots[index]
    const at = slot?.line.findIndex((order) => keyOf(order) === key) ?? -1
    if (slot === undefined || at < 0 || (at === 0 && slot.isRunning)) return
    slot.line.splice(at, 1)
    this.#post({ kind: 'attemptWithdrawn', key })
  }

  #runNext(index: number, slot: Slot): void {
    const order = slot.line[0]
    slot.isRunning = order !== undefined
    if (order === undefined) return slot.kept.clear()
    const key = keyOf(order)
    const made = this.#inputsMade(slot, key)
    if (made === undefined) {
      slot.line.shift()
      this.#post({ kind: 'attemptsPassedOver', keys: [key] })
      return this.#runNext(index, slot)
    }
    const startedAtMs = this.#world.nowMs
    const run = this.#begin(order, made)
    if (run.runMs > silentMs || this.#world.chance(0.5)) this.#post({ kind: 'attemptStarted', key, startedAtMs })
    this.#later(slot, run.runMs, () => {
      if (slot.line[0] !== order) return
      if (run.exits) this.#lose(index, slot, exited)
      else this.#end(index, slot, key, run.end(), startedAtMs)
    })
  }

  #end(index: number, slot: Slot, key: AttemptKey, outcome: EndOutcome, startedAtMs = this.#world.nowMs): void {
    if (slot.line[0] === undefined || keyOf(slot.line[0]) !== key) return
    slot.line.shift()
    const value = this.#valueOf(outcome)
    const isTaken = slot.line.some((order) => slot.ahead.get(keyOf(order))?.missing.some((ref) => keyOf(ref) === key))
    if (isTaken && value !== undefined) slot.kept.set(key, value)
    this.#post({ kind: 'attemptEnded', key, outcome, ...this.#times(startedAtMs) })
    this.#runNext(index, slot)
  }

  /** The inputs that were made here; nothing when one of them was not. */
  #inputsMade(slot: Slot, key: AttemptKey): ReadonlyMap<ObjectId, number> | undefined {
    const { made = [], missing = [] } = slot.ahead.get(key) ?? {}
    slot.ahead.delete(key)
    const values = new Map<ObjectId, number>()
    for (const { taskId, outcome } of made) {
      const value = this.#valueOf(outcome)
      if (value !== undefined) values.set(taskId as string as ObjectId, value)
    }
    for (const ref of missing) {
      const value = slot.kept.get(keyOf(ref))
      if (value === undefined) return undefined
      values.set(ref.taskId as string as ObjectId, value)
    }
    return values
  }

  /** The thread ends with all that it had. */
  #lose(index: number, slot: Slot, { failure }: Extract<EndOutcome, { kind: 'failed' }>): void {
    slot.life++
    slot.line.length = 0
    slot.ahead.clear()
    slot.kept.clear()
    slot.isRunning = false
    this.#post({ kind: 'slotLost', slot: index, failure })
  }

  #times(startedAtMs: number) {
    return { startedAtMs, endedAtMs: this.#world.nowMs }
  }

  #later(slot: Slot, delayMs: number, act: () => void): void {
    const { life } = slot
    this.#world.after(delayMs, () => {
      if (this.#isAlive() && slot.life === life) act()
    })
  }
}

const cancelled = {
  kind: 'failed',
  failure: { kind: 'cancelled', reason: 'CANCELLED', message: 'told to stop' },
} as const
const exited = {
  kind: 'failed',
  failure: { kind: 'userError', reason: 'TASK_EXITED', message: 'the task ended its thread' },
} as const
