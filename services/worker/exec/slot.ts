import type { TaskFailure } from '#libs/domain'
import { type InputValues, isInSharedMemory, shareInputs } from '#libs/submission'

import { type AttemptKey, keyOf, kindOf, type TaskOrder } from '../core/state.js'
import type { Execution, ExecutorEvents } from './executor.js'
import { createLastLines } from './last-lines.js'
import { cutLine } from './line.js'
import { noClaim } from './line-claims.js'
import { copyLargeInputs } from './own-inputs.js'
import { packTasks, unpackEnds } from './slot-columns.js'
import type { SlotHost, StartHost } from './slot-host.js'
import type { SlotNews, SlotCall, SlotEnd, SlotTask, SlotTurn, ToSlot } from './slot-messages.js'

/** How long a task that is told to stop may take before its slot is ended. */
const stopGraceMs = 1_000
/** So long before that the host that will take its place is started: it takes part of a second, a task that obeys none of it. */
const spareLeadMs = 500

const none: ArrayBuffer[] = []
const slotGone: TaskFailure = {
  kind: 'workerLost',
  reason: 'TASK_PROCESS_LOST',
  message: "the task's thread or process ended while it waited for tasks that it submitted",
}

/** What the slots say beside starts and ends, and what they ask. */
export interface SlotListeners {
  /** Whether a task fails that changes an input that it shares with others. */
  readonly verifyInputs: boolean
  heard(
    message: Exclude<SlotNews, { kind: 'turn' | 'awaits' | 'woke' | 'dropped' | 'broken' }>,
    answer: (answer: ToSlot) => void,
  ): void
  /** Where the task's bundle lies on this machine. */
  bundlePath(digest: string): string
  /** Takes an end's large result into the worker's memory. */
  keepResult(order: TaskOrder, end: SlotEnd): Parameters<ExecutorEvents['ended']>[1]
}

/** A place where one task runs at a time, and others wait in a line; whatever runs can be ended. */
export class Slot {
  #number: number
  /** The attempt that is parked with the host, when it serves no slot. */
  #parked: AttemptKey | undefined
  /** What is done when the host ends while it serves nobody. */
  #onEndAtRest: (() => void) | undefined
  readonly #events: ExecutorEvents
  readonly #listeners: SlotListeners
  readonly #startHost: StartHost
  /** Attempts that were in a slot when it was lost: one of them may have ended it. */
  readonly #doubtful: Set<AttemptKey>
  readonly #orders = new Map<AttemptKey, TaskOrder>()
  readonly #timers = new Set<NodeJS.Timeout>()
  readonly #lastLines = createLastLines()
  #host: SlotHost
  /** Takes the place of the host, which is about to be ended. */
  #spare: SlotHost | undefined
  #running: AttemptKey | undefined
  /** Which attempt the host is being ended for and how that fails it, once it is. */
  #fate: { readonly key: AttemptKey; readonly failure: TaskFailure } | undefined
  #timedOut: AttemptKey | undefined

  constructor(
    number: number,
    events: ExecutorEvents,
    listeners: SlotListeners,
    startHost: StartHost,
    doubtful: Set<AttemptKey>,
  ) {
    this.#number = number
    this.#events = events
    this.#listeners = listeners
    this.#startHost = startHost
    this.#doubtful = doubtful
    this.#host = this.#start()
  }

  execute(tasks: readonly Execution[]): void {
    let call: SlotCall | undefined
    let batch: SlotTask[] = []
    let copies: ArrayBuffer[] = []
    const inBatch = new Set<ArrayBufferLike>()
    for (const { order, inputs: fetched, devices, awaited } of tasks) {
      const { taskId, jobId, index, attempt, input, trace, timeoutMs, deadlineMs } = order
      const key = keyOf(order)
      this.#orders.set(key, order)
      if (call === undefined || !isCallOf(call, order)) call = this.#callOf(order)
      const shared = this.#sharesMemory ? shareInputs(input, jobId, fetched) : fetched
      const own: ArrayBuffer[] = []
      const inputs = this.#host.claims ? copyLargeInputs(shared, own, this.#host.memory) : shared
      // What is in a message twice is one thing there, and no task may see what another does to its input.
      const buffers = buffersOf(inputs, this.#host.claims !== undefined)
      if (buffers.some((buffer) => inBatch.has(buffer))) {
        this.#host.post({ kind: 'run', tasks: packTasks(batch) }, copies)
        batch = []
        copies = []
        inBatch.clear()
      }
      for (const buffer of buffers) inBatch.add(buffer)
      copies.push(...own)
      const isDoubtful = this.#doubtful.has(key)
      const claim = this.#host.claims?.open(key) ?? noClaim
      const execution = {
        key,
        taskId,
        index,
        attempt,
        isDoubtful,
        isUrgent: order.urgent === true,
        devices,
        claim,
        call,
        input,
        inputs,
        trace,
        timeoutMs,
        deadlineMs,
        awaited,
      }
      batch.push(execution)
    }
    this.#host.post({ kind: 'run', tasks: packTasks(batch) }, copies)
  }

  /** Gives memory back, as soon as its task gives it the time. */
  collect(): void {
    this.#host.post({ kind: 'collect' })
  }

  /** Gives up a task that has not begun. */
  withdraw(key: AttemptKey): boolean {
    if (!this.#orders.has(key) || !this.#host.claims?.withdraw(key)) return false
    this.#forget(key)
    return true
  }

  has(key: AttemptKey): boolean {
    return this.#orders.has(key)
  }

  stopTask(key: AttemptKey, reason: string): void {
    if (!this.#orders.has(key)) return
    this.#askToStop(key, reason, { kind: 'cancelled', reason: 'CANCELLED', message: reason })
  }

  notifyTask(key: AttemptKey, reason: string): void {
    if (this.#orders.has(key)) this.#host.post({ kind: 'stop', key, reason })
  }

  /** Leaves its place with this attempt; what waited behind it is run elsewhere. False when the attempt is not here any more. */
  park(key: AttemptKey): boolean {
    const order = this.#orders.get(key)
    this.#keepOnly(key)
    if (order === undefined) {
      // It ended, or its host did: the place is open for others.
      this.#host.post({ kind: 'resume', key, wait: 0 })
      this.#events.parkedLost(key, slotGone)
      return false
    }
    this.#parked = key
    return true
  }

  /** Serves this slot from now on. */
  serve(number: number): void {
    this.#number = number
    this.#parked = undefined
    if (this.#onEndAtRest) this.#host.post({ kind: 'resume', key: '', wait: 0 })
    this.#onEndAtRest = undefined
  }

  /** Serves nobody for now. */
  rest(onEnd: () => void): void {
    this.#parked = undefined
    this.#onEndAtRest = onEnd
  }

  /** The attempt goes on after this wait, or with the reason why it may not wait. */
  resume(key: AttemptKey, wait: number, refusal?: string): void {
    if (refusal !== undefined) this.#keepOnly(key)
    this.#host.post({ kind: 'resume', key, wait, ...(refusal === undefined ? {} : { refusal }) })
  }

  /** The host has dropped what waited behind the attempt. */
  #keepOnly(key: AttemptKey): void {
    this.#host.claims?.keepOnly(key)
    for (const other of [...this.#orders.keys()]) if (other !== key) this.#orders.delete(other)
  }

  async stop(): Promise<void> {
    for (const timer of this.#timers) clearTimeout(timer)
    await Promise.all([this.#host.stop(), this.#spare?.stop()])
  }

  #start(): SlotHost {
    const host = this.#startHost(this.#number, {
      heard: (message) => this.#hear(message),
      wrote: (level, text) => this.#takeLine(level, text),
      ended: (failure) => {
        if (host === this.#spare) this.#spare = undefined
        else this.#restart(failure)
      },
      stuck: () => {
        if (this.#fate) this.#events.slotStuck(this.#number, this.#fate.key, this.#fate.failure)
      },
    })
    return host
  }

  #askToStop(key: AttemptKey, reason: string, failure: TaskFailure): void {
    this.#host.post({ kind: 'stop', key, reason })
    this.#after(stopGraceMs - spareLeadMs, () => {
      if (this.#orders.has(key) && this.#parked === undefined) this.#spare ??= this.#start()
    })
    this.#after(stopGraceMs, () => this.#end(key, failure))
  }

  /** The host stays, or nobody takes its place. */
  #dismissSpare(): void {
    void this.#spare?.stop()
    this.#spare = undefined
  }

  #restart(failure: TaskFailure): void {
    const fate = this.#fate?.failure ?? this.#lastLines.addTo(failure)
    for (const key of this.#orders.keys()) this.#doubtful.add(key)
    for (const timer of this.#timers) clearTimeout(timer)
    this.#orders.clear()
    this.#timers.clear()
    this.#lastLines.clear()
    this.#fate = undefined
    this.#running = undefined
    // Nobody is served here: there is no place to take.
    if (this.#parked !== undefined || this.#onEndAtRest) this.#dismissSpare()
    if (this.#parked !== undefined) return this.#events.parkedLost(this.#parked, fate)
    if (this.#onEndAtRest) return this.#onEndAtRest()
    this.#host = this.#spare ?? this.#start()
    this.#spare = undefined
    this.#events.slotLost(this.#number, fate)
  }

  /** Ends the host whatever it runs, unless the attempt came to its end. What waits in its line did not start, and is put into a line again. */
  #end(key: AttemptKey, failure: TaskFailure): void {
    this.#host.catchUp()
    if (!this.#orders.has(key)) return this.#dismissSpare()
    this.#fate ??= { key, failure }
    this.#host.end()
  }

  #hear(message: SlotNews): void {
    switch (message.kind) {
      case 'turn':
        this.#takeTurn(message)
        return
      case 'awaits':
        this.#events.awaits(message.key, message.wait)
        return
      case 'woke':
        this.#events.woke(message.key, message.wait)
        return
      case 'dropped': {
        const isClaimed = this.#host.claims?.drop(message.key, message.claim) ?? true
        // Withdrawn: that it is given up was said when it was. It may be in the line again.
        if (!isClaimed || !this.#orders.has(message.key)) return
        const at = Date.now()
        const failure: TaskFailure = { kind: 'cancelled', reason: 'CANCELLED', message: 'dropped before it started' }
        this.#forget(message.key)
        this.#events.ended(message.key, { kind: 'failed', failure }, at, at)
        return
      }
      case 'log':
        this.#lastLines.add(message.line.text)
        this.#listeners.heard(message, (answer) => this.#host.post(answer))
        return
      case 'broken':
        return
      default:
        this.#listeners.heard(message, (answer) => this.#host.post(answer))
    }
  }

  #takeLine(level: string, text: string): void {
    // What is not announced runs in the order of the line.
    const order = this.#orders.get(this.#running ?? '') ?? this.#orders.values().next().value
    const { taskId = '', attempt = 0 } = order ?? {}
    this.#hear({ kind: 'log', line: { taskId, attempt, level, text: cutLine(text), atMs: Date.now() } })
  }

  /** Those that could not begin come after the ends, which say why. */
  #takeTurn({ ends, passedOver, started }: SlotTurn): void {
    if (ends) for (const end of unpackEnds(ends)) this.#take(end)
    if (passedOver) {
      for (const key of passedOver) this.#host.claims?.close(key)
      this.#events.passedOver(passedOver.filter((key) => this.#orders.delete(key)))
    }
    if (!started) return
    this.#running = started.key
    this.#lastLines.clear()
    this.#watchTimeout(started.key)
    this.#events.started(started.key, started.startedAtMs)
  }

  #take(end: SlotEnd): void {
    this.#host.claims?.close(end.key)
    const order = this.#orders.get(end.key)
    if (order === undefined) return
    this.#forget(end.key)
    const timedOut = this.#timedOut === end.key
    const outcome =
      timedOut && end.outcome.kind === 'failed'
        ? { kind: 'failed' as const, failure: timeoutOf(order) }
        : this.#listeners.keepResult(order, end)
    this.#events.ended(end.key, outcome, end.startedAtMs, end.endedAtMs)
  }

  #forget(key: AttemptKey): void {
    this.#orders.delete(key)
    this.#doubtful.delete(key)
  }

  #watchTimeout(key: AttemptKey): void {
    const order = this.#orders.get(key)
    if (order?.timeoutMs === undefined) return
    this.#after(order.timeoutMs, () => {
      if (!this.#orders.has(key)) return
      this.#timedOut = key
      const failure = timeoutOf(order)
      this.#askToStop(key, failure.message, failure)
    })
  }

  #after(ms: number, act: () => void): void {
    const timer = setTimeout(() => {
      this.#timers.delete(timer)
      act()
    }, ms)
    this.#timers.add(timer)
  }

  #callOf(order: TaskOrder): SlotCall {
    const { jobId, seed, bundleDigest, taskName } = order
    const bundlePath = this.#listeners.bundlePath(bundleDigest)
    const { verifyInputs } = this.#listeners
    const call = { kind: kindOf(order), jobId, seed, bundlePath, bundleDigest, taskName, verifyInputs }
    return order.profile === 'cpu' ? { ...call, isSampled: true } : call
  }

  /** Only threads see the worker's memory; and who is watched gets copies. */
  get #sharesMemory(): boolean {
    return this.#host.claims !== undefined && !this.#listeners.verifyInputs
  }
}

/** What belongs to one task each. A thread sees shared memory, of which each task makes its copy; a process gets a copy with the message. */
function buffersOf(inputs: InputValues, inThread: boolean): ArrayBufferLike[] {
  if (inputs.size === 0) return none
  return [...inputs.values()].flatMap((input) =>
    input.kind === 'body' && !(inThread && isInSharedMemory(input.bytes)) ? [input.bytes.buffer] : [],
  )
}

/** A job has one seed. */
function isCallOf(call: SlotCall, order: TaskOrder): boolean {
  return call.jobId === order.jobId && call.taskName === order.taskName && call.bundleDigest === order.bundleDigest
}

function timeoutOf({ taskId, timeoutMs }: TaskOrder): TaskFailure {
  return {
    kind: 'timeout',
    reason: 'TASK_TIMEOUT',
    message: `task ${taskId} ran longer than its timeout of ${timeoutMs ?? 0} ms`,
  }
}
