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

interface Slot {
  readonly line: TaskOrder[]
  /** Raised when the thread is another one: what the earlier one began does not end. */
  life: number
  isRunning: boolean
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
  readonly #begin: (order: TaskOrder) => Run
  readonly #post: (event: UntimedEvent) => void
  readonly #slots: Slot[]

  constructor(
    count: number,
    world: World,
    worker: {
      readonly isAlive: () => boolean
      /** A task starts to run: its inputs are taken now. */
      readonly begin: (order: TaskOrder) => Run
      readonly post: (event: UntimedEvent) => void
    },
  ) {
    this.#world = world
    this.#isAlive = worker.isAlive
    this.#begin = worker.begin
    this.#post = worker.post
    this.#slots = Array.from({ length: count }, () => ({ line: [], life: 0, isRunning: false }))
  }

  get busyCount(): number {
    return this.#slots.filter(({ line, isRunning }) => isRunning || line.length > 0).length
  }

  execute(index: number, order: TaskOrder): void {
    const slot = this.#slots[index]
    if (slot === undefined) throw new Error(`there is no slot ${index}`)
    // A thread would run it twice.
    if (slot.line.some((other) => keyOf(other) === keyOf(order)))
      throw new Error(`${keyOf(order)} is in slot ${index} twice`)
    slot.line.push(order)
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
    if (order === undefined) return
    const key = keyOf(order)
    const startedAtMs = this.#world.nowMs
    const run = this.#begin(order)
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
    this.#post({ kind: 'attemptEnded', key, outcome, ...this.#times(startedAtMs) })
    this.#runNext(index, slot)
  }

  /** The thread ends with all that it had. */
  #lose(index: number, slot: Slot, { failure }: Extract<EndOutcome, { kind: 'failed' }>): void {
    slot.life++
    slot.line.length = 0
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
