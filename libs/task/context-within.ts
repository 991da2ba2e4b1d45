import type { Rng } from '#libs/domain'

import type { TaskCheckpoint, TaskContext, TaskLog } from './context.js'
import type { Submitter } from './submitter.js'

/**
 * The context of a task that another task calls within itself many times, each time with random numbers of its own: all else is
 * the outer task's. One object serves all calls, because a batch makes a million of them.
 */
export class ContextWithin implements TaskContext {
  readonly #outer: TaskContext
  /** Set before each call. */
  rng: Rng
  readonly taskId: string
  readonly jobId: string
  readonly taskIndex: number
  readonly attempt: number
  readonly devices: readonly number[]
  readonly deadline: Date | undefined
  readonly progress: TaskContext['progress']
  readonly submit: Submitter['submit'] = (...args) => this.#outer.submit(...args)
  readonly map: Submitter['map'] = (...args) => this.#outer.map(...args)
  readonly with: Submitter['with'] = (options) => this.#outer.with(options)
  readonly race: Submitter['race'] = (futures) => this.#outer.race(futures)
  readonly gather = ((futures: never, options: never) => this.#outer.gather(futures, options)) as Submitter['gather']

  /** How far one call of many is says little of how far the outer task is, which reports that itself: it is told to nobody. */
  constructor(outer: TaskContext, rng: Rng, progress: TaskContext['progress'] = () => undefined) {
    this.#outer = outer
    this.rng = rng
    this.progress = progress
    this.taskId = outer.taskId
    this.jobId = outer.jobId
    this.taskIndex = outer.taskIndex
    this.attempt = outer.attempt
    this.devices = outer.devices
    this.deadline = outer.deadline
  }

  get signal(): AbortSignal {
    return this.#outer.signal
  }

  get log(): TaskLog {
    return this.#outer.log
  }

  get checkpoint(): TaskCheckpoint {
    return this.#outer.checkpoint
  }
}
