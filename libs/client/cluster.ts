import type {
  AnyTask,
  Argument,
  Arguments,
  GatherOptions,
  Job,
  ResultOf,
  ScatteredChunks,
  ScatteredObject,
  SubmitOptions,
  Task,
  TaskFuture,
  TypedArray,
} from '#libs/task'
import type { JobProfile } from '#libs/profile'

import type { Checkpoints } from './checkpoints.js'
import type { GraphBuilder } from './graph.js'
import type { NamedJob } from './mesh-profile.js'
import type { NamedTask, StoryLine } from './task-answers.js'

/** A worker as `workers()` shows it. */
export interface WorkerInfo {
  readonly id: string
  readonly host: string
  readonly pid: number
  readonly slots: number
  readonly assignedTasks: number
  readonly heldObjects: number
  /** What the objects have in memory. */
  readonly heldBytes: number
  /** What they have on the worker's disk, where those go that find no room in memory. */
  readonly spilledBytes: number
  readonly addresses: readonly string[]
  readonly rssBytes: number
  /** The most since the worker was started; 0 when it does not say. */
  readonly peakRssBytes: number
  /** 0 for none. */
  readonly memoryLimitBytes: number
  /** Where its tasks run: threads of the worker, or a process for each slot. */
  readonly executor: 'thread' | 'process'
  /**
   * In quarantine are workers on which several tasks in a row failed by no fault of theirs: they get none for a while. Those
   * whose memory is nearly full are paused: they get none until there is room again.
   */
  readonly state: 'ready' | 'draining' | 'quarantined' | 'paused'
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
  /**
   * Put the value into the checkpoint-store: it outlives every worker. It goes to workers as well only when `workers` or
   * `broadcast` says so; the others load it when a task of theirs takes it.
   */
  readonly durable?: boolean
}

/** Who is to have a value that workers hold. */
export interface ReplicateOptions {
  /** Ids of the workers to choose from; all unless given. */
  readonly workers?: readonly string[]
  /** So many workers are to have it, those included that have it already; all of them unless given. */
  readonly copies?: number
}

/** Where to scatter an array in parts, and how large they are. */
export interface ChunkedScatterOptions extends ScatterOptions {
  /** At most so much per part, in bytes or as `'64MB'`. */
  readonly chunkBytes: number | string
}

/** A place where tasks run: workers on this machine, a mesh elsewhere, or this process itself. */
export interface Cluster extends AsyncDisposable {
  readonly name: string
  /** Named, versioned values that outlive jobs and processes. */
  readonly checkpoints: Checkpoints

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
  /**
   * Puts an array into workers' memory that one of them may have no room for: in parts of at most `chunkBytes`, each an object of
   * its own, spread over the workers; where they have no room in memory they go to the workers' disks. Of what it is told with
   * `scattered.parts`, a task gets a part each (`map`) or the list of all (`submit`); `scattered.chunks()` streams it back.
   *
   * @throws RangeError when a part has less than one element.
   */
  scatter<T extends TypedArray>(array: T, options: ChunkedScatterOptions): Promise<ScatteredChunks<T>>
  /**
   * The same with what an async iterable gives, such as the chunks of an array that this program has no room for either: each is an
   * object of its own. At most 64 MB of them are under way, or one that is larger. What was yielded must not be changed.
   */
  scatter<T>(chunks: AsyncIterable<T>, options?: ScatterOptions): Promise<ScatteredChunks<T>>
  /** Puts a value into workers' memory, to be an argument of many tasks. Lost with the last worker that holds it. */
  scatter<T>(value: T, options?: ScatterOptions): Promise<ScatteredObject<T>>
  /**
   * Brings a result, once it is there, or a scattered value to more workers: tasks that take it find it in more places, and it
   * outlives some of them. Each passes it on while it comes. Resolves with the ids of the workers that have it: fewer than asked
   * for when there are not as many, or some died meanwhile. A small result travels with each task instead: nobody holds it.
   *
   * @throws what the task failed with; RangeError for workers that are not there; MeshError when a worker has no room for it.
   */
  replicate(object: TaskFuture<unknown> | ScatteredObject<unknown>, options?: ReplicateOptions): Promise<string[]>
  /** Takes up a job by its id or the name it was persisted under. */
  attach(jobIdOrName: string): Promise<Job>
  /** Gives a task a name and version under which clients in any language can call it. */
  register(task: AnyTask, as: { readonly name: string; readonly version: string }): Promise<void>
  /** Runs a registered task, of whichever language. */
  submitRegistered(name: string, ...args: readonly unknown[]): TaskFuture<unknown>

  /**
   * What names a computation: SHA-256 over the bundle of the task's module, with all that it imports, and over values such as its
   * arguments; lower-case hexadecimal. Another one means that code or values have changed.
   * @throws TypeError for futures and scattered objects in the values.
   */
  digestOf(task: AnyTask, ...values: readonly unknown[]): Promise<string>

  /** What a task waits for, where it runs or how it ended, in one sentence. */
  explain(task: NamedTask): Promise<string>
  /** Every fact and event that touched a task, oldest first, as far as that is remembered. */
  story(task: NamedTask): Promise<StoryLine[]>

  /**
   * Where the time of a job went, those included that its tasks submitted: time in each phase, speed-up and efficiency against
   * one worker, what each worker did and its memory, the critical path. Of a job that is not settled, how far it is.
   * @throws MeshError NOT_FOUND when the job is unknown or forgotten.
   */
  profile(job: NamedJob): Promise<JobProfile>

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
