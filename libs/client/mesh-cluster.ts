import { randomUUID } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'

import { bundleTask } from '#libs/bundle'
import { parseDurationMs } from '#libs/domain'
import { ExecutorKind, type Worker, WorkerState } from '#libs/proto'
import type { JobProfile } from '#libs/profile'
import { readRpcFailure } from '#libs/rpc'
import { replaced } from '#libs/submission'
import {
  type AnyTask,
  isTask,
  type Task,
  type Arguments,
  type GatherOptions,
  type SubmitOptions,
  type TaskFuture,
  type Job,
  raceFutures,
  scatterEach,
  zipArguments,
} from '#libs/task'

import { attachJob } from './attach.js'
import type { Checkpoints } from './checkpoints.js'
import { type Cluster, type ReplicateOptions, type ScatterOptions, type WorkerInfo } from './cluster.js'
import { digestOfComputation } from './computation-digest.js'
import { gatherAll } from './gather.js'
import { createGraphBuilder, type GraphBuilder, graphNotBuilt } from './graph.js'
import { type MeshConnection } from './mesh-connection.js'
import { meshErrorOf } from './mesh-error.js'
import { planReplication, type Replicable } from './replication.js'
import { partsOf } from './scatter-parts.js'
import { Scattering } from './scattering.js'
import { type NamedJob, profileMeshJob } from './mesh-profile.js'
import { calledOf, Submission } from './submission.js'
import { explainTask, type NamedTask, readStory, type StoryLine } from './task-answers.js'

/** What a mesh can do about the number of its workers; a connected one that others manage can do nothing. */
export interface Scaler {
  scale(count: number): Promise<void>
  adapt(bounds: { readonly minimum: number; readonly maximum: number }): void
  /** Where to look when workers do not come, and what those that failed said last. */
  describeTroubles(): Promise<string>
  close(): Promise<void>
}

const defaultWaitMs = 60_000
const watchAgainMs = 200

/** A cluster of real services, on this machine or elsewhere. */
export class MeshCluster implements Cluster {
  readonly name: string
  readonly #connection: MeshConnection
  readonly #scaler: Scaler
  readonly #options: SubmitOptions
  readonly #scattering: Scattering

  constructor(name: string, connection: MeshConnection, scaler: Scaler, options: SubmitOptions = {}) {
    this.name = name
    this.#connection = connection
    this.#scaler = scaler
    this.#options = options
    this.#scattering = new Scattering(connection, () => this.workers())
  }

  get checkpoints(): Checkpoints {
    return this.#connection.checkpoints
  }

  submit<A extends readonly unknown[], R>(task: Task<A, R>, ...args: Arguments<A>): TaskFuture<R> {
    const called = calledOf(task)
    const submission = new Submission(this.#connection, this.#options, task.taskName)
    const future = submission.add(called, args)
    submission.send()
    return future as TaskFuture<R>
  }

  map<A extends readonly unknown[], R>(
    task: Task<A, R>,
    ...lists: { readonly [K in keyof A]: Iterable<never> }
  ): TaskFuture<R>[] {
    const called = calledOf(task)
    const calls = zipArguments(lists)
    if (calls.length === 0) return []
    const submission = new Submission(this.#connection, this.#options, task.taskName)
    const futures = calls.map((args) => submission.add(called, args))
    submission.send()
    return futures as TaskFuture<R>[]
  }

  graph<T>(build: (graph: GraphBuilder) => T): T {
    const submission = new Submission(this.#connection, this.#options, 'graph')
    try {
      const graph = createGraphBuilder((task, args, options) => submission.add(calledOf(task), args, options))
      const built = build(graph)
      if (submission.job.futures.length > 0) submission.send()
      return built
    } catch (error) {
      submission.job.fail(graphNotBuilt(error))
      throw error
    }
  }

  with(options: SubmitOptions): Cluster {
    return new MeshCluster(this.name, this.#connection, this.#scaler, replaced(this.#options, options))
  }

  async gather<R>(futures: Iterable<TaskFuture<R>>, options: GatherOptions = {}): Promise<never> {
    return (await gatherAll([...futures], options)) as never
  }

  async race<R>(futures: Iterable<TaskFuture<R>>): Promise<R> {
    return await raceFutures([...futures])
  }

  scatter(value: unknown, options: ScatterOptions = {}): Promise<never> {
    try {
      const parts = partsOf(value, options)
      const scattered = parts
        ? scatterEach(parts, (part) => this.#scattering.scatter(part, options))
        : this.#scattering.scatter(value, options)
      return scattered as Promise<never>
    } catch (error) {
      const failure = error as Error
      return Promise.reject(failure)
    }
  }

  async replicate(object: Replicable, options: ReplicateOptions = {}): Promise<string[]> {
    this.#connection.check()
    const plan = await planReplication(object, options, () => this.workers())
    if (plan === undefined) return []
    const { holders } = plan.object
    const more = plan.targets.length > 0 ? await this.#connection.replicate(plan.object, plan.targets) : []
    return [...holders, ...more].map(({ id }) => id)
  }

  async attach(jobIdOrName: string): Promise<Job> {
    return await attachJob(this.#connection, jobIdOrName)
  }

  async register(task: AnyTask, as: { readonly name: string; readonly version: string }): Promise<void> {
    calledOf(task)
    if (!isTask(task)) return
    const bundle = await bundleTask(task)
    try {
      await this.#connection.blobs.upload([{ digest: bundle.digest, bytes: bundle.archive }], {})
      const called = { bundleDigest: bundle.digest, taskName: task.taskName }
      await this.#connection.scheduler.registerTask({ requestId: randomUUID(), task: { ...as, function: called } })
    } catch (error) {
      throw meshErrorOf(error)
    }
  }

  submitRegistered(name: string, ...args: readonly unknown[]): TaskFuture<unknown> {
    const submission = new Submission(this.#connection, this.#options, name)
    const future = submission.add({ kind: 'registered', name }, args)
    submission.send()
    return future
  }

  async digestOf(task: AnyTask, ...values: readonly unknown[]): Promise<string> {
    return await digestOfComputation(task, values)
  }

  async explain(task: NamedTask): Promise<string> {
    return await explainTask(this.#connection, task)
  }

  async story(task: NamedTask): Promise<StoryLine[]> {
    return await readStory(this.#connection, task)
  }

  async profile(job: NamedJob): Promise<JobProfile> {
    return await profileMeshJob(this.#connection, job, await this.workers())
  }

  async workers(): Promise<WorkerInfo[]> {
    const workers: WorkerInfo[] = []
    let pageToken = ''
    try {
      do {
        const page = await this.#connection.scheduler.listWorkers({ pageSize: 1_000, pageToken })
        workers.push(...page.workers.map(workerInfoOf))
        pageToken = page.nextPageToken
      } while (pageToken !== '')
    } catch (error) {
      throw meshErrorOf(error)
    }
    return workers
  }

  async waitForWorkers(count: number, options: { readonly timeout?: number | string } = {}): Promise<void> {
    const timeoutMs = options.timeout === undefined ? defaultWaitMs : parseDurationMs(options.timeout, 'timeout')
    const signal = AbortSignal.timeout(timeoutMs)
    let present = 0
    const isOver = (): boolean => signal.aborted
    const isThere = async (): Promise<boolean> => {
      for await (const demand of this.#connection.scheduler.watchDemand({}, { signal })) {
        present = demand.presentWorkers
        // Those that leave are among them.
        if (present >= count)
          present = (await this.workers()).filter(({ state }) => state === 'ready' || state === 'paused').length
        if (present >= count) return true
      }
      return false
    }
    while (!isOver()) {
      try {
        if (await isThere()) return
      } catch (error) {
        // The scheduler may be away for a while, and says it again when it is back.
        if (!isOver() && readRpcFailure(error).code !== 'UNAVAILABLE') throw meshErrorOf(error)
      }
      await sleep(watchAgainMs, undefined, { signal }).catch(() => undefined)
    }
    const troubles = await this.#scaler.describeTroubles()
    throw new Error(`${present} of ${count} workers are there after ${timeoutMs / 1000} s: ${troubles}`)
  }

  async scale(count: number): Promise<void> {
    checkWorkerCount(count)
    await this.#scaler.scale(count)
  }

  adapt(bounds: { readonly minimum: number; readonly maximum: number }): void {
    checkBounds(bounds)
    this.#scaler.adapt(bounds)
  }

  async close(): Promise<void> {
    this.#connection.close()
    await this.#scaler.close()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close()
  }
}

function workerInfoOf(worker: Worker): WorkerInfo {
  const { workerId: id, host, pid, slots, assignedTasks, heldObjects, addresses } = worker
  return {
    id,
    host,
    pid,
    slots,
    assignedTasks,
    heldObjects,
    addresses,
    heldBytes: Number(worker.heldBytes),
    spilledBytes: Number(worker.spilledBytes),
    rssBytes: Number(worker.rssBytes),
    peakRssBytes: Number(worker.peakRssBytes ?? 0n),
    memoryLimitBytes: Number(worker.memoryLimitBytes),
    executor: worker.executor === ExecutorKind.PROCESS ? 'process' : 'thread',
    state: stateOf(worker),
    ...quarantineOf(worker),
    resources: Object.fromEntries(worker.resources),
  }
}

/** @throws RangeError for what is no number of workers. */
export function checkWorkerCount(count: number): void {
  if (!Number.isInteger(count) || count < 0) throw new RangeError(`scale(${count}): give a whole number from 0`)
}

/** @throws RangeError for bounds that make no sense. */
export function checkBounds({ minimum, maximum }: { readonly minimum: number; readonly maximum: number }): void {
  if (Number.isInteger(minimum) && Number.isInteger(maximum) && minimum >= 0 && maximum >= Math.max(1, minimum)) return
  throw new RangeError(`adapt({ minimum: ${minimum}, maximum: ${maximum} }): give 0 ≤ minimum ≤ maximum, maximum ≥ 1`)
}

function stateOf({ state }: Worker): WorkerInfo['state'] {
  if (state === WorkerState.QUARANTINED) return 'quarantined'
  if (state === WorkerState.PAUSED) return 'paused'
  return state === WorkerState.DRAINING ? 'draining' : 'ready'
}

function quarantineOf({ quarantinedUntil, quarantineReason: reason }: Worker): Pick<WorkerInfo, 'quarantine'> {
  if (quarantinedUntil === undefined) return {}
  const { seconds, nanos } = quarantinedUntil
  return { quarantine: { until: new Date(Number(seconds) * 1_000 + nanos / 1e6), reason } }
}
