import type { ResourceAmounts, RetryableKind } from '#libs/domain'
import type { AnyTask, Task } from '#libs/task'
import type { TypedArray } from '#libs/value'

import type { DurabilityLevel } from './durability.js'
import type { TaskFuture } from './future.js'
import type { GraphBuilder } from './graph.js'
import type { Job } from './job.js'
import type { ScatteredObject } from './scattered-object.js'
import type { NamedTask, StoryLine } from './task-answers.js'

/** An argument of a submitted task: a value, or a future or scattered object in its place, at any depth. */
export type Argument<T> =
  | T
  | TaskFuture<T>
  | ScatteredObject<T>
  | (T extends TypedArray | Date | string | number | bigint | boolean | null | undefined
      ? never
      : T extends readonly unknown[]
        ? { readonly [K in keyof T]: Argument<T[K]> }
        : T extends object
          ? { readonly [K in keyof T]: Argument<T[K]> }
          : never)

/** Arguments of a submitted task. */
export type Arguments<A extends readonly unknown[]> = { readonly [K in keyof A]: Argument<A[K]> }

/** How jobs are submitted. */
export interface SubmitOptions {
  /** For people; the task's name unless given. */
  readonly name?: string
  /** Seed of the tasks' random streams, 0 unless given. The stream's number is the task's index in its job. */
  readonly seed?: bigint | number
  /** The longest that one attempt of a task may run: milliseconds, or `'00:10:00'`. */
  readonly timeout?: number | string
  /** A detached job runs to its end also when its client is gone. */
  readonly detached?: boolean
  /**
   * How safe a job must be before its submit is answered: `'fsynced'`, on the scheduler's disk, unless given; or `'memory'`,
   * which takes no turn of the disk, and which a crash of the scheduler in the next moment may forget. `job.submitted` says
   * what was reached.
   */
  readonly durability?: DurabilityLevel
  /** How often a task that fails is tried again, with growing waits: short for `retry: { maxAttempts: retries + 1 }`. */
  readonly retries?: number
  /** When tasks that fail are tried again. Unless given, only after what is the mesh's fault. */
  readonly retry?: RetryOptions
  /** When the job's time is over (milliseconds since the Unix epoch, or a text that a Date understands): what is not done fails. */
  readonly deadline?: Date | number | string
  /** With the first task that fails for good the others are cancelled. Unless given, they go on: the job has partial results. */
  readonly failFast?: boolean
  /**
   * What each task takes of its worker, such as `{ cpu: 2, memory: '2GB', gpu: 1, licence: 1 }`: `cpu` are slots, one unless
   * given; `gpu` are devices, which the task finds in `ctx.devices`; other names are what workers are started with.
   */
  readonly resources?: ResourceAmounts
  /** Higher first, 0 unless given. Jobs of one priority take turns. */
  readonly priority?: number
  /** Ids of the workers that may run the tasks. While none of them is there the tasks wait. */
  readonly workers?: readonly string[]
  /** The host whose workers may run the tasks. */
  readonly host?: string
}

/** When tasks that fail are tried again. */
export interface RetryOptions {
  /**
   * The most attempts of a task that may end in one class of failure; `Infinity` needs a budget or the job a deadline. It makes
   * no less of what the mesh tries anyway (a lost worker, an input that cannot be fetched), and does not count for `result` and
   * `bundle`, which more attempts seldom help.
   */
  readonly maxAttempts?: number
  /** The same for single classes: `{ userError: 1, timeout: 3 }`. */
  readonly classes?: Readonly<Partial<Record<RetryableKind, number>>>
  /** The wait before a task's first retry, 1 s unless given: milliseconds, or `'10s'`. */
  readonly backoff?: number | string
  /** Each wait is so many times the one before; 2 unless given. */
  readonly factor?: number
  /** No wait is longer; 60 s unless given. */
  readonly maxBackoff?: number | string
  /** The share of each wait, from 0 to 1, that is left to chance; 0.2 unless given. */
  readonly jitter?: number
  /** The most retries of all tasks of the job together. */
  readonly budget?: number
}

/** A worker as `workers()` shows it. */
export interface WorkerInfo {
  readonly id: string
  readonly host: string
  readonly pid: number
  readonly slots: number
  readonly assignedTasks: number
  readonly heldObjects: number
  readonly addresses: readonly string[]
  readonly rssBytes: number
  /** 0 for none. */
  readonly memoryLimitBytes: number
  /** Where its tasks run: threads of the worker, or a process for each slot. */
  readonly executor: 'thread' | 'process'
  /** In quarantine are workers on which several tasks in a row failed by no fault of theirs: they get none for a while. */
  readonly state: 'ready' | 'draining' | 'quarantined'
  readonly quarantine?: { readonly until: Date; readonly reason: string }
  /** What it offers beside slots and memory. */
  readonly resources: Readonly<Record<string, number>>
}

/** Where to scatter. */
export interface ScatterOptions {
  /** Ids of the workers to choose from; all unless given. */
  readonly workers?: readonly string[]
  /** Put the value on each of them. */
  readonly broadcast?: boolean
}

/** How to gather. */
export interface GatherOptions {
  /** `raise` (the default) throws the first failure as soon as it is known; `skip` leaves failed ones out. */
  readonly errors?: 'raise' | 'skip'
}

/** What a future's task gives. */
export type ResultOf<F> = F extends TaskFuture<infer R> ? R : never

/** A place where tasks run: workers on this machine, a mesh elsewhere, or this process itself. */
export interface Cluster extends AsyncDisposable {
  readonly name: string

  /** Runs a task. Arguments may hold futures and scattered objects at any depth. */
  submit<A extends readonly unknown[], R>(task: Task<A, R>, ...args: Arguments<A>): TaskFuture<R>
  /** Runs a task on each item; with several lists, on the first of each, the second of each, … One job. */
  map<A extends readonly unknown[], R>(
    task: Task<A, R>,
    ...lists: { readonly [K in keyof A]: Iterable<Argument<A[K]>> }
  ): TaskFuture<R>[]
  /** Submits a whole graph as one job: `graph(g => g.task(join, g.task(left), g.task(right)))`. */
  graph<T>(build: (graph: GraphBuilder) => T): T
  /** The same cluster with other options for what is submitted. */
  with(options: SubmitOptions): Cluster

  /**
   * The results of futures, in order, wherever they lie. Of a list of different ones (`[f, g]`) each result keeps its type.
   */
  gather<const F extends readonly TaskFuture<unknown>[]>(
    futures: F,
    options?: { readonly errors?: 'raise' },
  ): Promise<{ -readonly [K in keyof F]: ResultOf<F[K]> }>
  gather<F extends TaskFuture<unknown>>(futures: readonly F[], options?: GatherOptions): Promise<ResultOf<F>[]>
  gather<R>(futures: Iterable<TaskFuture<R>>, options?: GatherOptions): Promise<R[]>
  /**
   * The result of the task that finishes first; the others are cancelled, and what runs is stopped. A task that fails loses;
   * when all fail, an AggregateError says how.
   */
  race<R>(futures: Iterable<TaskFuture<R>>): Promise<R>
  /** Puts a value into workers' memory, to be an argument of many tasks. Lost with the last worker that holds it. */
  scatter<T>(value: T, options?: ScatterOptions): Promise<ScatteredObject<T>>
  /** Takes up a job by its id or the name it was persisted under. */
  attach(jobIdOrName: string): Promise<Job>
  /** Gives a task a name and version under which clients in any language can call it. */
  register(task: AnyTask, as: { readonly name: string; readonly version: string }): Promise<void>
  /** Runs a registered task, of whichever language. */
  submitRegistered(name: string, ...args: readonly unknown[]): TaskFuture<unknown>

  /** What a task waits for, where it runs or how it ended, in one sentence. */
  explain(task: NamedTask): Promise<string>
  /** Every fact and event that touched a task, oldest first, as far as that is remembered. */
  story(task: NamedTask): Promise<StoryLine[]>

  workers(): Promise<WorkerInfo[]>
  /** Resolves when at least `count` workers are there; rejects when they are not within the time (60 s unless given). */
  waitForWorkers(count: number, options?: { readonly timeout?: number | string }): Promise<void>
  /** Keeps so many workers. Scaling down stops only idle workers that hold no result; the others follow when they are. */
  scale(count: number): Promise<void>
  /** Keeps as many workers as there is work for, within these bounds, until `scale` is called. */
  adapt(bounds: { readonly minimum: number; readonly maximum: number }): void
  /** Leaves the cluster; one that this program made ends with it unless `keepAlive`. */
  close(): Promise<void>
}
