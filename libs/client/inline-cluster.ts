import { randomUUID } from 'node:crypto'

import { decodePayload, encodePayload, encodeValue } from '#libs/value'
import { type AnyTask, createInlineContext, type Task } from '#libs/task'

import type { Arguments, Cluster, GatherOptions, ScatterOptions, SubmitOptions, WorkerInfo } from './cluster.js'
import type { TaskFuture } from './future.js'
import { gatherAll } from './gather.js'
import type { GraphBuilder } from './graph.js'
import { explainInline, storyInline } from './inline-answers.js'
import { inlineFailureOf } from './inline-failure.js'
import type { Job } from './job.js'
import { MeshJob } from './mesh-job.js'
import { ScatteredObject } from './scattered-object.js'
import { calledOf } from './submission.js'
import type { NamedTask, StoryLine } from './task-answers.js'
import { MeshError } from './task-error.js'
import { zipArguments } from './zip-arguments.js'

/** What the inline clusters of one program share. */
interface InlineState {
  readonly jobs: Map<string, Job>
  readonly scattered: Map<string, Buffer>
  readonly registered: Map<string, AnyTask>
  /** Tasks run one after the other, in the order of submission. */
  line: Promise<void>
}

/**
 * The same calls in this process, without services: breakpoints work, and results are bit for bit those of a mesh, because
 * arguments and results are taken apart and put together in the same way. Tasks run one after the other.
 */
export function createInlineCluster(): Cluster {
  return new InlineCluster(
    { jobs: new Map(), scattered: new Map(), registered: new Map(), line: Promise.resolve() },
    {},
  )
}

class InlineCluster implements Cluster {
  readonly name = 'inline'
  readonly #state: InlineState
  readonly #options: SubmitOptions

  constructor(state: InlineState, options: SubmitOptions) {
    this.#state = state
    this.#options = options
  }

  submit<A extends readonly unknown[], R>(task: Task<A, R>, ...args: Arguments<A>): TaskFuture<R> {
    calledOf(task)
    const job = this.#createJob(task.taskName)
    return this.#run(job, task, args) as TaskFuture<R>
  }

  map<A extends readonly unknown[], R>(
    task: Task<A, R>,
    ...lists: { readonly [K in keyof A]: Iterable<never> }
  ): TaskFuture<R>[] {
    calledOf(task)
    const job = this.#createJob(task.taskName)
    return zipArguments(lists).map((args) => this.#run(job, task as unknown as AnyTask, args) as TaskFuture<R>)
  }

  graph<T>(build: (graph: GraphBuilder) => T): T {
    const job = this.#createJob('graph')
    return build({
      task: (task, ...args) => {
        calledOf(task)
        return this.#run(job, task, args) as never
      },
    })
  }

  with(options: SubmitOptions): Cluster {
    return new InlineCluster(this.#state, { ...this.#options, ...options })
  }

  async gather<R>(futures: Iterable<TaskFuture<R>>, options: GatherOptions = {}): Promise<R[]> {
    return await gatherAll([...futures], options)
  }

  async scatter<T>(value: T, _options: ScatterOptions = {}): Promise<ScatteredObject<T>> {
    const payload = encodePayload(encodeValue(value, 'the scattered value')) as Buffer
    const id = `o-${randomUUID()}`
    this.#state.scattered.set(id, payload)
    const facts = { byteLength: payload.byteLength, workerIds: [this.name] }
    return new ScatteredObject<T>(id, facts, {
      release: () => void this.#state.scattered.delete(id),
      fetch: async () => decodePayload(payload) as T,
    })
  }

  async attach(jobIdOrName: string): Promise<Job> {
    const job = this.#state.jobs.get(jobIdOrName)
    if (job) return job
    throw new MeshError('NOT_FOUND', 'JOB_NOT_FOUND', `job ${jobIdOrName} is unknown`)
  }

  async register(task: AnyTask, as: { readonly name: string; readonly version: string }): Promise<void> {
    calledOf(task)
    this.#state.registered.set(`${as.name}@${as.version}`, task)
    this.#state.registered.set(as.name, task)
  }

  submitRegistered(name: string, ...args: readonly unknown[]): TaskFuture<unknown> {
    const task = this.#state.registered.get(name)
    if (task === undefined) throw new MeshError('NOT_FOUND', 'TASK_NOT_REGISTERED', `no task ${name} is registered`)
    return this.#run(this.#createJob(name), task, args)
  }

  async explain(task: NamedTask): Promise<string> {
    return explainInline(this.#state.jobs, task)
  }

  async story(task: NamedTask): Promise<StoryLine[]> {
    return storyInline(this.#state.jobs, task)
  }

  async workers(): Promise<WorkerInfo[]> {
    const facts = { id: this.name, host: 'this process', pid: process.pid, slots: 1, addresses: [], assignedTasks: 0 }
    const rssBytes = process.memoryUsage.rss()
    return [{ ...facts, heldObjects: this.#state.scattered.size, rssBytes, memoryLimitBytes: 0, state: 'ready' }]
  }

  async waitForWorkers(): Promise<void> {
    // This process is there.
  }

  async scale(count: number): Promise<void> {
    if (count !== 1) throw new RangeError(`scale(${count}): an inline cluster has one worker, this process`)
  }

  adapt(): void {
    // There is nothing to adapt: this process is the one worker.
  }

  async close(): Promise<void> {
    await this.#state.line
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close()
  }

  #createJob(name: string): MeshJob {
    const job: MeshJob = new MeshJob(
      `j-${randomUUID().slice(0, 16)}`,
      this.#options.name ?? name,
      {},
      {
        fetch: async (future) => decodePayload(future.wireResult as Uint8Array),
        // Tasks run in turn: what is cancelled before its turn does not run.
        cancel: async (_jobId, indices) => {
          const targets = indices.length > 0 ? indices.map((index) => job.futures[index]) : job.futures
          for (const future of targets)
            future?.settle(inlineFailureOf(new MeshError('CANCELLED', 'CANCELLED', 'cancelled'), future, true))
        },
        release: () => undefined,
        forget: () => undefined,
        persist: async (_jobId, as) => void this.#state.jobs.set(as, job),
        localize: (stack) => stack,
      },
    )
    this.#state.jobs.set(job.id, job)
    return job
  }

  #run(job: MeshJob, task: AnyTask, args: readonly unknown[]): TaskFuture<unknown> {
    // Taken apart now, as a mesh would: what the program does to its arguments later does not matter.
    const found = new Map<string, TaskFuture<unknown> | ScatteredObject<unknown>>()
    const payload = encodePayload(
      encodeValue([...args], `the arguments of task ${task.taskName}`, (value) => {
        if (!(value instanceof ScatteredObject) && !isFuture(value)) return undefined
        found.set(value.id, value)
        return { target: { $case: 'objectId', value: value.id } }
      }),
    )
    const future = job.addFuture(task.taskName)
    const index = job.futures.length - 1
    this.#state.line = this.#state.line.then(async () => {
      if (future.done) return
      const startedAtMs = Date.now()
      try {
        const inputs = new Map<string, unknown>()
        for (const [id, source] of found) inputs.set(id, await source.result())
        const resolved = decodePayload(payload, {
          resolve: ({ target }) => inputs.get(target?.$case === 'objectId' ? target.value : ''),
        }) as unknown[]
        const context = createInlineContext({
          taskId: future.id,
          jobId: job.id,
          taskIndex: index,
          seed: this.#options.seed ?? 0,
          progress: (fraction, detail = {}) =>
            job.reportProgress({ taskId: future.id, fraction, message: detail.message ?? '', ...detail }),
        })
        const result = await (task as unknown as (...all: unknown[]) => Promise<unknown>)(...resolved, context)
        const timing = { workerId: this.name, slot: 0, attempt: 1, startedAtMs, endedAtMs: Date.now() }
        const encoded = encodePayload(encodeValue(result, `the result of task ${future.id}`))
        future.settle({ kind: 'finished', result: encoded, timing })
      } catch (error) {
        future.settle(inlineFailureOf(error, future, false))
      }
    })
    return future
  }
}

function isFuture(value: object): value is TaskFuture<unknown> {
  return 'onSettled' in value && 'job' in value
}
