import { randomUUID } from 'node:crypto'

import type { JobProfile } from '#libs/profile'
import { type InputBody, replaced, type MeshJob } from '#libs/submission'
import {
  type AnyTask,
  type Task,
  type Arguments,
  type GatherOptions,
  type SubmitOptions,
  TaskFuture,
  type Job,
  raceFutures,
  ScatteredObject,
  scatterEach,
  MeshError,
  zipArguments,
} from '#libs/task'

import type { Checkpoints } from './checkpoints.js'
import { type Cluster, type ReplicateOptions, type ScatterOptions, type WorkerInfo } from './cluster.js'
import { digestOfComputation } from './computation-digest.js'
import { gatherAll } from './gather.js'
import { createGraphBuilder, type GraphBuilder, graphNotBuilt } from './graph.js'
import { explainInline, storyInline } from './inline-answers.js'
import { putTogether, takeApart } from './inline-body.js'
import { createInlineCheckpoints } from './inline-checkpoints.js'
import { profileInlineJob } from './inline-profile.js'
import type { InlineSamples } from './inline-samples.js'
import { InlineSubmission } from './inline-submission.js'
import type { InlineTimes } from './inline-times.js'
import type { NamedJob } from './mesh-profile.js'
import { checkBounds, checkWorkerCount } from './mesh-cluster.js'
import { checkReplication, checkWorkers, type Replicable } from './replication.js'
import { partsOf } from './scatter-parts.js'
import { calledOf } from './submission.js'
import type { NamedTask, StoryLine } from './task-answers.js'

/** What the inline clusters of one program share. */
export interface InlineState {
  readonly jobs: Map<string, MeshJob>
  /** When what happened to the tasks of each, those included that ended with their parents. */
  readonly times: Map<string, InlineTimes>
  readonly samples: Map<string, InlineSamples>
  readonly scattered: Map<string, InputBody>
  readonly registered: Map<string, AnyTask>
  readonly checkpoints: Checkpoints
  /** Tasks run one after the other, in the order of submission. */
  line: Promise<void>
  /** How many tasks are above those that are submitted here. */
  readonly depth: number
  readonly verifyInputs: boolean
  closed: boolean
}

/** How to run tasks in this process. */
export interface InlineClusterOptions {
  /** A task that changes an input that it shares with others (`shared()`) fails. */
  readonly verifyInputs?: boolean
}

const registrableName = /^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$/

/**
 * The same calls in this process, without services: breakpoints work, and results are bit for bit those of a mesh, because
 * arguments and results are taken apart and put together in the same way. Tasks run one after the other. What is not the
 * same: a task that is stopped and does not heed its signal goes on beside the next ones, because nobody can end it; what it
 * writes with `console` does not come to `job.onLog`; a checkpoint lives as long as its task; a task that is tried again keeps
 * its turn while it waits.
 */
export function createInlineCluster({ verifyInputs = false }: InlineClusterOptions = {}): Cluster {
  const known = {
    jobs: new Map(),
    times: new Map(),
    samples: new Map(),
    scattered: new Map(),
    registered: new Map(),
    checkpoints: createInlineCheckpoints(),
  }
  return new InlineCluster({ ...known, line: Promise.resolve(), depth: 0, verifyInputs, closed: false }, {})
}

class InlineCluster implements Cluster {
  readonly name = 'inline'
  readonly #state: InlineState
  readonly #options: SubmitOptions

  constructor(state: InlineState, options: SubmitOptions) {
    this.#state = state
    this.#options = options
  }

  get checkpoints(): Checkpoints {
    return this.#state.checkpoints
  }

  submit<A extends readonly unknown[], R>(task: Task<A, R>, ...args: Arguments<A>): TaskFuture<R> {
    calledOf(task)
    const submission = this.#begin(task.taskName)
    const future = submission.add(task, args)
    submission.send()
    return future as TaskFuture<R>
  }

  map<A extends readonly unknown[], R>(
    task: Task<A, R>,
    ...lists: { readonly [K in keyof A]: Iterable<never> }
  ): TaskFuture<R>[] {
    calledOf(task)
    const calls = zipArguments(lists)
    if (calls.length === 0) return []
    const submission = this.#begin(task.taskName)
    const futures = calls.map((args) => submission.add(task as unknown as AnyTask, args))
    submission.send()
    return futures as TaskFuture<R>[]
  }

  graph<T>(build: (graph: GraphBuilder) => T): T {
    const submission = this.#begin('graph')
    try {
      const graph = createGraphBuilder((task, args, options) => {
        calledOf(task)
        return submission.add(task, args, options)
      })
      const built = build(graph)
      submission.send()
      return built
    } catch (error) {
      submission.job.fail(graphNotBuilt(error))
      throw error
    }
  }

  with(options: SubmitOptions): Cluster {
    return new InlineCluster(this.#state, replaced(this.#options, options))
  }

  async gather<R>(futures: Iterable<TaskFuture<R>>, options: GatherOptions = {}): Promise<never> {
    return (await gatherAll([...futures], options)) as never
  }

  async race<R>(futures: Iterable<TaskFuture<R>>): Promise<R> {
    return await raceFutures([...futures])
  }

  async scatter(value: unknown, options: ScatterOptions = {}): Promise<never> {
    const parts = partsOf(value, options)
    if (parts) return (await scatterEach(parts, (part) => this.#scatterOne(part, options))) as never
    return (await this.#scatterOne(value, options)) as never
  }

  async #scatterOne<T>(value: T, { workers }: ScatterOptions): Promise<ScatteredObject<T>> {
    this.#check()
    const unknown = workers?.find((id) => id !== this.name)
    if (unknown !== undefined) throw new RangeError(`scatter: there is no worker ${unknown}; see cluster.workers()`)
    const body = takeApart(value, 'the scattered value')
    const id = `o-${randomUUID()}`
    const { scattered } = this.#state
    scattered.set(id, body)
    const facts = { byteLength: body.bytes.byteLength, workerIds: [this.name] }
    return new ScatteredObject<T>(id, facts, {
      release: () => void scattered.delete(id),
      fetch: async () => {
        const held = scattered.get(id)
        if (held) return putTogether(held, { what: `the scattered value ${id}` }) as T
        const message = `the value of ${id} could not be fetched: no worker holds it any more`
        throw new MeshError('UNAVAILABLE', 'RESULT_UNAVAILABLE', message)
      },
    })
  }

  async replicate(object: Replicable, options: ReplicateOptions = {}): Promise<string[]> {
    this.#check()
    checkReplication(options)
    checkWorkers(options, await this.workers())
    if (object instanceof TaskFuture) await object.result()
    return [this.name]
  }

  async attach(jobIdOrName: string): Promise<Job> {
    const job = this.#state.jobs.get(jobIdOrName)
    if (job) return job
    throw new MeshError('NOT_FOUND', 'JOB_NOT_FOUND', `job ${jobIdOrName} is unknown`)
  }

  async register(task: AnyTask, as: { readonly name: string; readonly version: string }): Promise<void> {
    calledOf(task)
    const { name, version } = as
    if (!registrableName.test(name) || !registrableName.test(version)) {
      const message = 'a registered task needs a name and a version of letters, digits, dots, dashes and underscores'
      throw new MeshError('INVALID_ARGUMENT', 'BAD_TASK_NAME', message)
    }
    this.#state.registered.set(`${name}@${version}`, task)
    this.#state.registered.set(name, task)
  }

  submitRegistered(name: string, ...args: readonly unknown[]): TaskFuture<unknown> {
    const submission = this.#begin(name)
    const task = this.#state.registered.get(name)
    if (task) {
      const future = submission.add(task, args)
      submission.send()
      return future
    }
    const known = [...this.#state.registered.keys()].filter((key) => key.includes('@')).join(', ') || 'none'
    const message = `no task ${name} is registered; known: ${known}`
    return submission.refuse(name, new MeshError('NOT_FOUND', 'TASK_NOT_REGISTERED', message))
  }

  async digestOf(task: AnyTask, ...values: readonly unknown[]): Promise<string> {
    return await digestOfComputation(task, values)
  }

  async explain(task: NamedTask): Promise<string> {
    return explainInline(this.#state.jobs, task)
  }

  async story(task: NamedTask): Promise<StoryLine[]> {
    return storyInline(this.#state.jobs, task)
  }

  async profile(job: NamedJob): Promise<JobProfile> {
    return profileInlineJob(this.#state, job, await this.workers())
  }

  async workers(): Promise<WorkerInfo[]> {
    const facts = { id: this.name, host: 'this process', pid: process.pid, slots: 1, addresses: [], assignedTasks: 0 }
    const rssBytes = process.memoryUsage.rss()
    return [
      {
        ...facts,
        heldObjects: this.#state.scattered.size,
        heldBytes: [...this.#state.scattered.values()].reduce((sum, { bytes }) => sum + bytes.byteLength, 0),
        spilledBytes: 0,
        rssBytes,
        // The system counts in KiB.
        peakRssBytes: process.resourceUsage().maxRSS * 1024,
        memoryLimitBytes: 0,
        executor: 'thread',
        resources: {},
        state: 'ready',
      },
    ]
  }

  async waitForWorkers(count: number): Promise<void> {
    if (count > 1) throw new Error(`1 of ${count} workers are there: an inline cluster has one worker, this process`)
  }

  async scale(count: number): Promise<void> {
    checkWorkerCount(count)
    if (count !== 1) throw new RangeError(`scale(${count}): an inline cluster has one worker, this process`)
  }

  adapt(bounds: { readonly minimum: number; readonly maximum: number }): void {
    // There is nothing to adapt: this process is the one worker.
    checkBounds(bounds)
  }

  async close(): Promise<void> {
    this.#state.closed = true
    for (const job of this.#state.jobs.values()) {
      job.fail(closedError())
      await job.cancel()
    }
    await this.#state.line
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close()
  }

  #begin(name: string): InlineSubmission {
    this.#check()
    return new InlineSubmission(this.#state, this.#options, name)
  }

  #check(): void {
    if (this.#state.closed) throw closedError()
  }
}

function closedError(): MeshError {
  return new MeshError('CANCELLED', 'CLIENT_CLOSED', 'the cluster was closed by this program')
}
