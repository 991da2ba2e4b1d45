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
  /** Submits tasks in the middle of the run, and says when it has what it waits for. */
  readonly lead?: (done: () => void) => void
  /** Takes the result into the worker's memory when it is large. */
  readonly end: () => EndOutcome
}

type Execute = Extract<Effect, { kind: 'execute' }>

/** What a task has that was sent ahead of its inputs: those that were made, and those that are before it in the line. */
interface Ahead {
  readonly made: ReadonlyMap<ObjectId, number>
  readonly missing: Execute['missing']
}

interface Slot {
  readonly line: TaskOrder[]
  /** Raised when the thread is another one: what the earlier one began does not end. */
  life: number
  isRunning: boolean
  /** What runs there waits, and the core was told: nothing else begins there before it answered. */
  isClosed: boolean
  readonly ahead: Map<AttemptKey, Ahead>
  /** What tasks made here that others in the line take. */
  readonly kept: Map<AttemptKey, number>
}

/** A task that waits for others with its thread, without a slot. */
interface Parked {
  readonly order: TaskOrder
  readonly goOn: (index: number, slot: Slot) => void
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
  readonly #parked = new Map<AttemptKey, Parked>()
  /** Those that were told to stop while they were in a slot. */
  readonly #told = new Set<AttemptKey>()
  /** How those that wait, in a slot or without, go on. */
  readonly #waiting = new Map<AttemptKey, Parked['goOn']>()

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
      isClosed: false,
      ahead: new Map(),
      kept: new Map(),
    }))
  }

  get busyCount(): number {
    return this.#parked.size + this.#slots.filter(({ line, isRunning }) => isRunning || line.length > 0).length
  }

  execute({ slot: index, order, made, missing }: Execute): void {
    const slot = this.#slots[index]
    if (slot === undefined) throw new Error(`there is no slot ${index}`)
    // A thread would run it twice.
    if (slot.line.some((other) => keyOf(other) === keyOf(order)))
      throw new Error(`${keyOf(order)} is in slot ${index} twice`)
    slot.line.push(order)
    // It has them from now on, also when the worker gives them up before it begins.
    slot.ahead.set(keyOf(order), { made: this.#valuesOf(made), missing })
    if (!slot.isRunning) this.#runNext(index, slot)
  }

  /** What runs is told to stop; what waits is dropped. */
  stop(index: number, key: AttemptKey): void {
    if (this.#parked.has(key)) return this.#stopParked(key)
    const slot = this.#slots[index]
    const at = slot?.line.findIndex((order) => keyOf(order) === key) ?? -1
    if (slot === undefined || at < 0) return
    const { life } = slot
    this.#told.add(key)
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
      // It may have begun meanwhile: then it hears it while it runs, or waits.
      const now = slot.line.findIndex((order) => keyOf(order) === key)
      if (now < 0) return
      if (now === 0 && slot.isRunning) return this.stop(index, key)
      this.#told.delete(key)
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

  /** A task that waits leaves its slot. */
  park(index: number, key: AttemptKey): void {
    const slot = this.#slots[index]
    if (slot === undefined) throw new Error(`there is no slot ${index}`)
    slot.isClosed = false
    const order = slot.line.find((other) => keyOf(other) === key)
    const goOn = this.#waiting.get(key)
    for (const behind of slot.line.splice(0)) if (behind !== order) this.#told.delete(keyOf(behind))
    // Another thread has made nothing.
    slot.ahead.clear()
    slot.kept.clear()
    slot.isRunning = false
    if (order === undefined || goOn === undefined) {
      return this.#post({ kind: 'parkedLost', key, failure: exited.failure })
    }
    // What was begun for it in this slot is over.
    slot.life++
    this.#parked.set(key, { order, goOn })
    // What it was told in its slot holds without one.
    if (this.#told.delete(key)) this.#stopParked(key)
  }

  /** It may not wait without its slot, and throws. */
  refuse(index: number, key: AttemptKey): void {
    const slot = this.#slots[index]
    if (slot === undefined) return
    slot.isClosed = false
    for (const behind of slot.line.splice(1)) slot.ahead.delete(keyOf(behind))
    if (this.#waiting.delete(key)) this.#end(index, slot, key, refused)
  }

  resume(index: number, key: AttemptKey): void {
    const slot = this.#slots[index]
    const parked = this.#parked.get(key)
    if (slot === undefined || parked === undefined) return
    if (slot.line.length > 0) throw new Error(`${key} goes on in slot ${index}, which is taken`)
    this.#parked.delete(key)
    slot.line.push(parked.order)
    slot.isRunning = true
    parked.goOn(index, slot)
  }

  #stopParked(key: AttemptKey): void {
    this.#world.after(this.#world.chance(0.5) ? this.#world.between(...stopMs) : stopGraceMs, () => {
      if (!this.#isAlive() || !this.#parked.delete(key)) return
      this.#waiting.delete(key)
      if (this.#world.chance(0.5)) this.#post({ kind: 'parkedLost', key, failure: cancelled.failure })
      else this.#post({ kind: 'attemptEnded', key, outcome: cancelled, ...this.#times(this.#world.nowMs) })
    })
  }

  #runNext(index: number, slot: Slot): void {
    const order = slot.isClosed ? undefined : slot.line[0]
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
    const finish = (at: number, in_: Slot): void => {
      if (in_.line[0] !== order) return
      if (run.exits) this.#lose(at, in_, exited)
      else this.#end(at, in_, key, run.end(), startedAtMs)
    }
    const { lead } = run
    if (lead === undefined) return this.#later(slot, run.runMs, () => finish(index, slot))
    const halfMs = run.runMs / 2
    this.#later(slot, halfMs, () => {
      if (slot.line[0] === order)
        this.#lead(index, slot, order, lead, (at, in_) => this.#later(in_, halfMs, () => finish(at, in_)))
    })
  }

  /** A task submits tasks and waits for them: without its slot, unless it has their results at once. */
  #lead(index: number, slot: Slot, order: TaskOrder, lead: NonNullable<Run['lead']>, goOn: Parked['goOn']): void {
    const key = keyOf(order)
    const wait = 1
    let isSaid = false
    let isOver = false
    this.#waiting.set(key, goOn)
    lead(() => {
      if (!this.#isAlive() || isOver) return
      isOver = true
      if (isSaid) this.#post({ kind: 'attemptWoke', key, wait })
      else if (this.#waiting.delete(key)) goOn(index, slot)
    })
    this.#later(slot, this.#world.between(0, 3), () => {
      if (isOver || slot.line[0] !== order) return
      isSaid = true
      slot.isClosed = true
      this.#post({ kind: 'attemptAwaits', key, wait })
    })
  }

  #end(index: number, slot: Slot, key: AttemptKey, outcome: EndOutcome, startedAtMs = this.#world.nowMs): void {
    if (slot.line[0] === undefined || keyOf(slot.line[0]) !== key) return
    slot.line.shift()
    this.#forget(key)
    const value = this.#valueOf(outcome)
    const isTaken = slot.line.some((order) => slot.ahead.get(keyOf(order))?.missing.some((ref) => keyOf(ref) === key))
    if (isTaken && value !== undefined) slot.kept.set(key, value)
    if (this.#world.chance(0.1)) this.#post({ kind: 'checkpointSaved', key })
    this.#post({ kind: 'attemptEnded', key, outcome, ...this.#times(startedAtMs) })
    this.#runNext(index, slot)
  }

  #valuesOf(made: Execute['made']): ReadonlyMap<ObjectId, number> {
    const values = new Map<ObjectId, number>()
    for (const { taskId, outcome } of made) {
      const value = this.#valueOf(outcome)
      if (value !== undefined) values.set(taskId as string as ObjectId, value)
    }
    return values
  }

  /** The inputs that were made here; nothing when one of them was not. */
  #inputsMade(slot: Slot, key: AttemptKey): ReadonlyMap<ObjectId, number> | undefined {
    const { made = [], missing = [] } = slot.ahead.get(key) ?? {}
    slot.ahead.delete(key)
    const values = new Map<ObjectId, number>(made)
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
    for (const order of slot.line) this.#forget(keyOf(order))
    slot.line.length = 0
    slot.ahead.clear()
    slot.kept.clear()
    slot.isRunning = false
    slot.isClosed = false
    this.#post({ kind: 'slotLost', slot: index, failure })
  }

  #forget(key: AttemptKey): void {
    this.#waiting.delete(key)
    this.#told.delete(key)
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
const refused = {
  kind: 'failed',
  failure: { kind: 'userError', reason: 'TASK_THREW', message: 'too many wait' },
} as const
const exited = {
  kind: 'failed',
  failure: { kind: 'userError', reason: 'TASK_EXITED', message: 'the task ended its thread' },
} as const
