import { createHash } from 'node:crypto'
import { isMainThread } from 'node:worker_threads'

import { JobSpec, ProfileKind, type Result } from '#libs/proto'
import {
  createArgumentEncoder,
  durabilityToWire,
  durationToWire,
  endingsToWire,
  isInSharedMemory,
  JobTerms,
  MeshJob,
  replaced,
} from '#libs/submission'
import {
  type AnyTask,
  type Codecs,
  type DurabilityLevel,
  type GatherOptions,
  isTask,
  MeshError,
  raceFutures,
  resultsOf,
  type SubmitOptions,
  type Submitter,
  type TaskFuture,
  zipArguments,
} from '#libs/task'
import { type DecodeOptions, decodePayload, decodeValue } from '#libs/value'

import type { FetchedInput } from '../objects/fetched-input.js'
import { inMessage } from './message-bytes.js'
import type { ChildCall, ChildNews, SlotTask } from './slot-messages.js'
import type { SlotWaits } from './slot-waits.js'

/** What the jobs of a task need of its slot. */
export interface ChildPorts {
  readonly task: SlotTask
  readonly waits: SlotWaits
  /** Whether the task's own bundle has a task of this name; throws what to do when it has not. */
  readonly check: (taskName: string) => void
  /** Those of the task's own module. */
  readonly codecs: Codecs
  readonly call: (call: ChildCall) => Promise<unknown>
}

/** The jobs that a task submits: named by what is asked for, so that another attempt that asks for the same finds them. */
export class ChildJobs {
  readonly #ports: ChildPorts
  readonly #jobs = new Map<string, MeshJob>()
  /** How often each content was asked for. */
  readonly #counts = new Map<string, number>()
  #isOver = false

  constructor(ports: ChildPorts) {
    this.#ports = ports
  }

  submitter(options: SubmitOptions = {}): Submitter {
    const submitAll = (task: unknown, calls: readonly (readonly unknown[])[]): TaskFuture<unknown>[] =>
      this.#submit(task, calls, options)
    return {
      submit: (task, ...args) => submitAll(task, [args])[0] as never,
      map: (task, ...lists) => submitAll(task, zipArguments(lists)) as never,
      with: (others) => this.submitter(replaced(options, others)),
      gather: async (futures: Iterable<TaskFuture<unknown>>, how: GatherOptions = {}) =>
        (await this.#ports.waits.pause(resultsOf([...futures], how))) as never,
      race: async (futures) => await this.#ports.waits.pause(raceFutures([...futures])),
    }
  }

  /** The scheduler says what became of a job. */
  take(jobId: string, news: ChildNews): void {
    const job = this.#jobs.get(jobId)
    switch (news.kind) {
      case 'settled':
        return job?.take(news.tasks)
      case 'reopened':
        return job?.reopen(news.index)
      case 'lost':
        return job?.fail(new MeshError(news.code, news.reason, news.message))
      default:
        return news satisfies never
    }
  }

  /** The task is over: nothing more is submitted. */
  close(): void {
    this.#isOver = true
  }

  #submit(task: unknown, calls: readonly (readonly unknown[])[], options: SubmitOptions): TaskFuture<unknown>[] {
    const { call, check, codecs, waits } = this.#ports
    if (this.#isOver) throw taskOver(this.#ports.task.taskId)
    if (!isTask(task)) throw new TypeError('submit and map take a task: export it with task(import.meta, …)')
    check(task.taskName)
    if (calls.length === 0) return []
    const durability = durabilityToWire(options)
    const encoder = createArgumentEncoder({ codecs })
    const inputs = calls.map((args) => encoder.encode(args, task.taskName))
    const spec = this.#specOf(task, inputs, options)
    const { jobId, requestId } = this.#nameOf(spec)
    const job = this.#createJob(jobId, spec)
    const futures = calls.map(() => job.addFuture(task.taskName))
    job.isSent = true
    const blobs = [...encoder.blobs.values()].map((blob) => (isMainThread ? blob : inMessage(blob)))
    job.submitted = call({ kind: 'submit', requestId, job: { ...spec, jobId }, durability, blobs }).then(
      (reached) => reached as DurabilityLevel,
      (error: unknown) => {
        job.fail(error as Error)
        throw error
      },
    )
    waits.noteSubmit(job.submitted)
    return futures
  }

  #createJob(jobId: string, { name, trace }: JobSpec): MeshJob {
    const { call, waits, task } = this.#ports
    const job: MeshJob = new MeshJob(jobId, name, Object.fromEntries(trace), {
      fetch: (future) => this.#fetch(future),
      cancel: async (_jobId, indices) => {
        await job.submitted
        await call({ kind: 'cancel', jobId, indices })
      },
      release: (objectIds) => void call({ kind: 'release', objectIds }).catch(() => undefined),
      persist: () => Promise.reject(notInTask(task.taskId)),
      localize: (stack) => stack,
      pause: (wait) => waits.pause(wait),
    })
    this.#jobs.set(jobId, job)
    return job
  }

  #fetch({ id, taskName, wireResult }: TaskFuture<unknown>): unknown {
    const result = wireResult as Result
    const { location } = result
    const options = { codecs: this.#ports.codecs, what: `the result of task ${taskName} (${id})` }
    return location?.$case === 'payload' ? decodePayload(location.value, options) : this.#fetchFrom(id, result, options)
  }

  async #fetchFrom(id: string, result: Result, options: DecodeOptions): Promise<unknown> {
    const fetched = (await this.#ports.call({ kind: 'fetch', objectId: id, result })) as FetchedInput
    return fetched.kind === 'payload'
      ? decodePayload(fetched.payload, options)
      : // What lies in shared memory is the worker's.
        decodeValue(fetched.structure, fetched.bytes, { ...options, view: !isInSharedMemory(fetched.bytes) })
  }

  #specOf(task: AnyTask, inputs: readonly Buffer[], options: SubmitOptions): JobSpec {
    const { call, trace } = this.#ports.task
    const { endings, needs, usual } = new JobTerms(options)
    const { timeoutMs, needsNumber } = usual
    const timeout = timeoutMs === undefined ? undefined : durationToWire(timeoutMs)
    const { taskName } = task
    return {
      jobId: '',
      name: options.name ?? taskName,
      functions: [{ function: { $case: 'bundled', value: { bundleDigest: call.bundleDigest, taskName } } }],
      tasks: inputs.map((input) => ({
        ...{ function: 0, input, name: taskName, timeout, needs: needsNumber },
        retryPolicy: 0,
      })),
      seed: BigInt(options.seed ?? 0),
      trace: new Map(Object.entries(trace)),
      detached: options.detached ?? false,
      ...endingsToWire(endings),
      needs: needs.values,
      retryPolicies: [],
      // What a task is sampled for goes for what it submits.
      ...((options.profile || call.isSampled) && { profile: ProfileKind.CPU }),
      // The worker says it.
      parent: undefined,
    }
  }

  /**
   * The same ask of the same task has the same name in each attempt, whatever else the task does before it; of equal ones the
   * first, the second, … And another ask has another: nobody is served what somebody else asked for.
   */
  #nameOf(spec: JobSpec): { readonly jobId: string; readonly requestId: string } {
    const content = JobSpec.encode({ ...spec, trace: new Map(), needs: spec.needs.map(sorted) }).finish()
    const digest = createHash('sha256').update(content).digest('hex')
    const count = (this.#counts.get(digest) ?? 0) + 1
    this.#counts.set(digest, count)
    const { taskId } = this.#ports.task
    const hex = createHash('sha256').update(`${taskId}\n${digest}\n${count}`).digest('hex')
    // A UUID of version 8: made from a digest.
    const variant = ((parseInt(hex.slice(16, 17), 16) & 3) | 8).toString(16)
    const requestId = `${hex.slice(0, 8)}-${hex.slice(8, 12)}-8${hex.slice(13, 16)}-${variant}${hex.slice(17, 20)}-${hex.slice(20, 32)}`
    return { jobId: `j-${hex.slice(32, 48)}`, requestId }
  }
}

/** Maps are encoded in the order of their entries. */
function sorted(needs: JobSpec['needs'][number]): JobSpec['needs'][number] {
  return { ...needs, resources: new Map([...needs.resources].sort(([a], [b]) => (a < b ? -1 : 1))) }
}

function taskOver(taskId: string): MeshError {
  const message = `task ${taskId} is over and cannot submit tasks any more: await what it starts before it returns`
  return new MeshError('FAILED_PRECONDITION', 'TASK_OVER', message)
}

function notInTask(taskId: string): MeshError {
  const message = `task ${taskId} cannot persist a job: return what should last, or persist the job from the program`
  return new MeshError('FAILED_PRECONDITION', 'NOT_IN_TASK', message)
}
