import { Worker } from 'node:worker_threads'

import type { TaskFailure } from '#libs/domain'

import { keyOf, kindOf, type TaskOrder } from '../core/state.js'
import type { FetchedInputs } from '../objects/fetched-input.js'
import type { Executor, ExecutorEvents } from './executor.js'
import { failureOf } from './failure-of.js'
import type { FromThread, ThreadCall, ThreadEnd, ThreadTask, ToThread } from './thread-messages.js'

/** How long a task that is told to stop may take before its thread is ended. */
const stopGraceMs = 1_000

/** What the threads say beside starts and ends. */
export interface ThreadListeners {
  heard(
    message: Exclude<FromThread, { kind: 'started' | 'ended' | 'dropped' }>,
    answer: (answer: ToThread) => void,
  ): void
  /** The file of the thread side. */
  readonly threadProgram: URL
  /** Where the task's bundle lies on this machine. */
  bundlePath(digest: string): string
  /** Takes an end's large result into the worker's memory. */
  keepResult(order: TaskOrder, end: ThreadEnd): Parameters<ExecutorEvents['ended']>[1]
}

/** Each slot is a worker thread: starts in tens of milliseconds, and a busy loop in it can be ended. */
export function createThreadExecutor(slots: number, events: ExecutorEvents, listeners: ThreadListeners): Executor {
  const threads = Array.from({ length: slots }, (_, slot) => new SlotThread(slot, events, listeners))
  return {
    execute: (slot, tasks) => threads[slot]?.execute(tasks),
    stopTask: (slot, key, reason) => threads[slot]?.stopTask(key, reason),
    stop: async () => {
      await Promise.all(threads.map((thread) => thread.stop()))
    },
  }
}

class SlotThread {
  readonly #slot: number
  readonly #events: ExecutorEvents
  readonly #listeners: ThreadListeners
  readonly #orders = new Map<string, TaskOrder>()
  readonly #timers = new Set<NodeJS.Timeout>()
  #worker: Worker
  /** Why the thread is being ended, once it is. */
  #fate: TaskFailure | undefined
  #timedOut: string | undefined
  #stopping = false

  constructor(slot: number, events: ExecutorEvents, listeners: ThreadListeners) {
    this.#slot = slot
    this.#events = events
    this.#listeners = listeners
    this.#worker = this.#start()
  }

  execute(tasks: readonly { readonly order: TaskOrder; readonly inputs: FetchedInputs }[]): void {
    let call: ThreadCall | undefined
    const threadTasks = tasks.map(({ order, inputs }): ThreadTask => {
      const { taskId, index, attempt, input, trace, timeoutMs, deadlineMs } = order
      const key = keyOf(order)
      this.#orders.set(key, order)
      if (call === undefined || !isCallOf(call, order)) call = this.#callOf(order)
      return { key, taskId, index, attempt, call, input, inputs, trace, timeoutMs, deadlineMs }
    })
    this.#post({ kind: 'run', tasks: threadTasks })
  }

  stopTask(key: string, reason: string): void {
    if (!this.#orders.has(key)) return
    this.#post({ kind: 'stop', key, reason })
    this.#after(stopGraceMs, () => {
      if (this.#orders.has(key)) this.#end({ kind: 'cancelled', reason: 'CANCELLED', message: reason })
    })
  }

  async stop(): Promise<void> {
    this.#stopping = true
    for (const timer of this.#timers) clearTimeout(timer)
    await this.#worker.terminate()
  }

  #start(): Worker {
    // Without execArgv the thread would preload this process's telemetry once more.
    const worker = new Worker(this.#listeners.threadProgram, {
      execArgv: [],
      name: `slot-${this.#slot}`,
    })
    worker.on('message', (message: FromThread) => this.#hear(message))
    worker.on('error', (error) => (this.#fate ??= failureOf(error)))
    worker.on('exit', (code) => this.#restart(code))
    return worker
  }

  #restart(code: number): void {
    if (this.#stopping) return
    const failure: TaskFailure = this.#fate ?? {
      kind: 'userError',
      reason: 'TASK_EXITED',
      message: `the task ended its thread with process.exit(${code}): return or throw instead`,
    }
    this.#fate = undefined
    this.#orders.clear()
    for (const timer of this.#timers) clearTimeout(timer)
    this.#timers.clear()
    this.#worker = this.#start()
    this.#events.slotLost(this.#slot, failure)
  }

  /** Ends the thread whatever it runs. What waits in its line did not start, and is put into a line again. */
  #end(fate: TaskFailure): void {
    this.#fate ??= fate
    void this.#worker.terminate()
  }

  #hear(message: FromThread): void {
    switch (message.kind) {
      case 'started':
        this.#watchTimeout(message.key)
        this.#events.started(message.key, message.startedAtMs)
        return
      case 'ended':
        for (const end of message.ends) this.#take(end)
        return
      case 'dropped': {
        const at = Date.now()
        const failure: TaskFailure = { kind: 'cancelled', reason: 'CANCELLED', message: 'dropped before it started' }
        this.#orders.delete(message.key)
        this.#events.ended(message.key, { kind: 'failed', failure }, at, at)
        return
      }
      default:
        this.#listeners.heard(message, (answer) => this.#post(answer))
    }
  }

  #take(end: ThreadEnd): void {
    const order = this.#orders.get(end.key)
    if (order === undefined) return
    this.#orders.delete(end.key)
    const timedOut = this.#timedOut === end.key
    const outcome =
      timedOut && end.outcome.kind === 'failed'
        ? { kind: 'failed' as const, failure: timeoutOf(order) }
        : this.#listeners.keepResult(order, end)
    this.#events.ended(end.key, outcome, end.startedAtMs, end.endedAtMs)
  }

  #watchTimeout(key: string): void {
    const order = this.#orders.get(key)
    if (order?.timeoutMs === undefined) return
    this.#after(order.timeoutMs, () => {
      if (!this.#orders.has(key)) return
      this.#timedOut = key
      this.#post({ kind: 'stop', key, reason: timeoutOf(order).message })
      this.#after(stopGraceMs, () => {
        if (this.#orders.has(key)) this.#end(timeoutOf(order))
      })
    })
  }

  #after(ms: number, act: () => void): void {
    const timer = setTimeout(() => {
      this.#timers.delete(timer)
      act()
    }, ms)
    this.#timers.add(timer)
  }

  #post(message: ToThread): void {
    this.#worker.postMessage(message)
  }

  #callOf(order: TaskOrder): ThreadCall {
    const { jobId, seed, bundleDigest, taskName } = order
    const bundlePath = this.#listeners.bundlePath(bundleDigest)
    return { kind: kindOf(order), jobId, seed, bundlePath, bundleDigest, taskName }
  }
}

/** A job has one seed. */
function isCallOf(call: ThreadCall, order: TaskOrder): boolean {
  return call.jobId === order.jobId && call.taskName === order.taskName && call.bundleDigest === order.bundleDigest
}

function timeoutOf({ taskId, timeoutMs }: TaskOrder): TaskFailure {
  return {
    kind: 'timeout',
    reason: 'TASK_TIMEOUT',
    message: `task ${taskId} ran longer than its timeout of ${timeoutMs ?? 0} ms`,
  }
}
