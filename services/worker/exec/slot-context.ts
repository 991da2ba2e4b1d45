import { format } from 'node:util'

import { createRng, type Rng } from '#libs/domain'
import type { Codecs, ProgressDetail, Submitter, TaskCheckpoint, TaskContext, TaskLog } from '#libs/task'

import { cutLine } from './line.js'
import { callMain } from './slot-calls.js'
import { ChildJobs } from './child-jobs.js'
import type { ChildCall, ChildNews, FromSlot, SlotTask } from './slot-messages.js'
import { SlotCheckpoint } from './slot-checkpoint.js'
import type { SlotWaits } from './slot-waits.js'

type Say = (message: FromSlot, transfer?: readonly ArrayBuffer[]) => void

/** Progress that comes faster than this is thinned out. */
const progressIntervalMs = 50

/** How a task runs in its slot. */
export interface SlotRun {
  /** Aborted when the task is to stop. */
  readonly stop: AbortController
  readonly waits: SlotWaits
  /** No progress is said before, by `performance.now()`: tasks of its kind are done by then, and the result says it. */
  readonly quietUntilMs: number
}

/** What a context is made of. */
export interface SlotPorts extends SlotRun {
  readonly task: SlotTask
  /** Throws when the task's bundle has no task of this name. */
  readonly check: (taskName: string) => void
  /** Those of the task's module. */
  readonly codecs: Codecs
  readonly say: Say
}

/** What the task gets as its last argument. */
export function createSlotContext(ports: SlotPorts): SlotContext {
  return new SlotContext(ports)
}

/** Made for every task, so that it makes what few tasks use only when it is asked for: an AbortSignal alone costs 4 µs. */
export class SlotContext implements TaskContext {
  readonly taskId: string
  readonly jobId: string
  readonly taskIndex: number
  readonly attempt: number
  readonly devices: readonly number[]
  readonly deadline: Date | undefined
  readonly progress: TaskContext['progress']
  readonly #ports: SlotPorts
  readonly #task: SlotTask
  readonly #stop: AbortController
  readonly #say: Say
  #reportedAtMs = -Infinity
  #log: TaskLog | undefined
  #rng: Rng | undefined
  #checkpoint: SlotCheckpoint | undefined
  #children: ChildJobs | undefined
  #submitter: Submitter | undefined

  constructor(ports: SlotPorts) {
    const { task, stop, say } = ports
    this.#ports = ports
    const { taskId, call, index, attempt, timeoutMs, deadlineMs, devices } = task
    this.taskId = taskId
    this.jobId = call.jobId
    this.taskIndex = index
    this.attempt = attempt
    this.deadline = deadlineOf(timeoutMs, deadlineMs)
    this.devices = devices
    // Tasks take it out of the context: `({ progress }) => …`.
    this.progress = (fraction, detail) => this.#report(fraction, detail)
    this.#task = task
    this.#stop = stop
    this.#say = say
  }

  get signal(): AbortSignal {
    return this.#stop.signal
  }

  get log(): TaskLog {
    return (this.#log ??= createLog(this.#task, this.#say))
  }

  get rng(): Rng {
    return (this.#rng ??= createRng(this.#task.call.seed, this.#task.index))
  }

  get checkpoint(): TaskCheckpoint {
    return (this.#checkpoint ??= new SlotCheckpoint(this.#ports, this.log))
  }

  // Bound: tasks take them out of the context.
  get submit(): Submitter['submit'] {
    return (...args) => this.#own.submit(...args)
  }

  get map(): Submitter['map'] {
    return (...args) => this.#own.map(...args)
  }

  get with(): Submitter['with'] {
    return (options) => this.#own.with(options)
  }

  get gather(): Submitter['gather'] {
    return ((futures: never, options: never) => this.#own.gather(futures, options)) as Submitter['gather']
  }

  get race(): Submitter['race'] {
    return (futures) => this.#own.race(futures)
  }

  /** The scheduler says what became of a job that the task submitted. */
  take(jobId: string, news: ChildNews): void {
    this.#children?.take(jobId, news)
  }

  /** Resolves when what the task saved is safe, or has failed; nothing when there is nothing to wait for. */
  saved(): Promise<void> | undefined {
    return this.#checkpoint?.saved()
  }

  /** The task is over. */
  close(): void {
    this.#children?.close()
  }

  get #own(): Submitter {
    if (this.#submitter) return this.#submitter
    const { task, waits, check, codecs, say } = this.#ports
    const call = (what: ChildCall): Promise<unknown> =>
      callMain((callId) => say({ kind: 'child', callId, key: task.key, call: what }))
    this.#children = new ChildJobs({ task, waits, check, codecs, call })
    return (this.#submitter = this.#children.submitter())
  }

  #report(fraction: number, detail: ProgressDetail = {}): void {
    const nowMs = performance.now()
    if (nowMs < this.#ports.quietUntilMs) return
    if (nowMs - this.#reportedAtMs < progressIntervalMs && fraction < 1) return
    this.#reportedAtMs = nowMs
    const { message } = detail
    const said = message === undefined ? detail : { ...detail, message: cutLine(message) }
    this.#say({ kind: 'progress', taskId: this.taskId, fraction, ...said })
  }
}

function createLog({ taskId, attempt }: SlotTask, say: Say): TaskLog {
  const write =
    (level: string) =>
    (message: string, fields?: Record<string, unknown>): void => {
      const text = cutLine(fields === undefined ? message : format(message, fields))
      say({ kind: 'log', line: { taskId, attempt, level, text, atMs: Date.now() } })
    }
  return { debug: write('debug'), info: write('info'), warn: write('warn'), error: write('error') }
}

/** The end of the attempt's time or of its job's, whichever comes first. */
function deadlineOf(timeoutMs: number | undefined, jobDeadlineMs: number | undefined): Date | undefined {
  const ms = Math.min(timeoutMs === undefined ? Infinity : Date.now() + timeoutMs, jobDeadlineMs ?? Infinity)
  return ms === Infinity ? undefined : new Date(ms)
}
