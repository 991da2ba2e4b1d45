import type { Rng } from '#libs/domain'

import type { Submitter } from './submitter.js'

/**
 * What a task gets as its last argument: who it is, when to stop, how to speak to the mesh while it runs, and how to submit
 * tasks of its own. While it waits for their results it gives its slot to others; it keeps its memory and its devices, and its
 * timeout goes on.
 */
export interface TaskContext extends Submitter {
  readonly taskId: string
  readonly jobId: string
  /** Place of the task in its job, from 0; names its random stream. */
  readonly taskIndex: number
  /** Which run of the task this is, from 1. */
  readonly attempt: number
  /** The devices, numbered from 0 on its worker, that are the task's own while it runs: as many as its `gpu` says. */
  readonly devices: readonly number[]
  /**
   * Aborts when the task is cancelled or times out, and some seconds before its worker leaves: a task that then saves and
   * throws goes on elsewhere from there, charged to nobody. A long loop checks it or hands it on.
   */
  readonly signal: AbortSignal
  /** When the task must have ended, if its job or its timeout says so. */
  readonly deadline: Date | undefined
  /**
   * Reports how far the task is. Cheap enough for every iteration: what comes too fast is thinned out, and of a task that is done within
   * 100 ms, like the last one of its kind, nothing is said: its result says it.
   * @param fraction done, in [0, 1].
   */
  progress(fraction: number, detail?: ProgressDetail): void
  readonly log: TaskLog
  /** Philox4x32-10 keyed by job seed and task index: the same numbers whatever the number of workers. */
  readonly rng: Rng
  readonly checkpoint: TaskCheckpoint
}

export interface ProgressDetail {
  message?: string
  iteration?: number
  /** Value of the objective at this iteration, for tasks that have one. */
  cost?: number
}

/** Log lines that carry the ids of job, task and attempt. */
export interface TaskLog {
  debug(message: string, fields?: Record<string, unknown>): void
  info(message: string, fields?: Record<string, unknown>): void
  warn(message: string, fields?: Record<string, unknown>): void
  error(message: string, fields?: Record<string, unknown>): void
}

/** The task's own named value: what it saves, its next attempt loads, on whatever worker. */
export interface TaskCheckpoint {
  /**
   * Saves a new version of the state as it is now: it may be changed at once. The task goes on meanwhile; of saves that come
   * faster than they can be done the newest wins. With `every`, most calls do nothing, so that it can stand in each
   * iteration. Resolves when this state or a newer one is durable, or when nothing is to be done. A save that fails is
   * logged, also when nobody waits for it; a task ends only when its saves are through.
   */
  save(state: unknown, info?: CheckpointInfo): Promise<void>
  /** The newest version, or nothing when none was saved. */
  load<T = unknown>(): Promise<SavedCheckpoint<T> | undefined>
}

export interface CheckpointInfo {
  iteration?: number
  cost?: number
  labels?: Record<string, string>
  /** Save only so often, by time or by iteration, whichever comes first; and whenever the task is about to be stopped. */
  every?: { ms?: number; iterations?: number }
}

export interface SavedCheckpoint<T> {
  state: T
  /** From 1, one higher with each save. */
  version: number
  iteration?: number
  cost?: number
  labels?: Readonly<Record<string, string>>
}

/** Whether the value is a context, of whichever copy of the library: workers and inline clusters make their own. */
export function isTaskContext(value: unknown): value is TaskContext {
  if (typeof value !== 'object' || value === null) return false
  const context = value as Partial<Record<keyof TaskContext, unknown>>
  return (
    typeof context.taskId === 'string' &&
    typeof context.jobId === 'string' &&
    typeof context.progress === 'function' &&
    // Not read: a signal is made when it is first asked for, and most tasks never do.
    'signal' in context
  )
}
