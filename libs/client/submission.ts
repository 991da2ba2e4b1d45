import { randomUUID } from 'node:crypto'

import { SpanKind } from '@opentelemetry/api'

import { bundleTask, describeNotATask, localizeStack } from '#libs/bundle'
import { type Durability, type FunctionRef, type JobSpec, ProfileKind, type TaskSpec } from '#libs/proto'
import {
  type ArgumentEncoder,
  createArgumentEncoder,
  durabilityToWire,
  durationToWire,
  endingsToWire,
  JobTerms,
  MeshJob,
  retryToWire,
} from '#libs/submission'
import {
  type AnyTask,
  type DurabilityLevel,
  type GraphTaskOptions,
  isTask,
  type SubmitOptions,
  type TaskFuture,
} from '#libs/task'
import { carrierOf, failSpan, startSpan } from '#libs/telemetry'

import { graphAlreadySent } from './graph.js'
import { isLeaving } from './interrupt.js'
import { bundledFunction, type MeshConnection } from './mesh-connection.js'
import { meshErrorOf } from './mesh-error.js'
import { taskCall } from './task-call.js'

/** A task that is called: declared here, or registered under a name. */
export type Called =
  { readonly kind: 'task'; readonly task: AnyTask } | { readonly kind: 'registered'; readonly name: string }

/** Checks that what a user submits is a task, and says what to do when it is not. */
export function calledOf(task: unknown): Called {
  if (!isTask(task)) throw new TypeError(describeNotATask(task))
  return { kind: 'task', task }
}

/** One job on its way: tasks are added, then it is sent. */
export class Submission {
  readonly job: MeshJob
  readonly #connection: MeshConnection
  readonly #options: SubmitOptions
  #encoder: ArgumentEncoder | undefined
  readonly #functions = new Map<unknown, { readonly index: number; readonly called: Called }>()
  #tasks: TaskSpec[] = []
  readonly #span
  readonly #terms: JobTerms
  readonly #durability: Durability | undefined

  constructor(connection: MeshConnection, options: SubmitOptions, name: string) {
    connection.check()
    this.#connection = connection
    this.#options = options
    this.#terms = new JobTerms(options)
    this.#durability = durabilityToWire(options)
    const id = `j-${randomUUID().replaceAll('-', '').slice(0, 16)}`
    const jobName = options.name ?? name
    this.#span = startSpan(`submit ${jobName}`, { kind: SpanKind.PRODUCER, attributes: { 'costate.job.id': id } })
    const backend = connection.jobBackend((stack, taskId, taskName) => this.#localize(stack, taskId, taskName))
    this.job = new MeshJob(id, jobName, carrierOf(this.#span), {
      ...backend,
      cancel: async (jobId, indices) => {
        await this.job.submitted
        await backend.cancel(jobId, indices)
      },
    })
    this.#encoder = createArgumentEncoder({ job: this.job })
  }

  /** Adds a task. Arguments are read now: what the program does to them later does not matter. */
  add(called: Called, args: readonly unknown[], options?: GraphTaskOptions): TaskFuture<unknown> {
    const encoder = this.#encoder
    if (this.job.isSent || encoder === undefined) throw graphAlreadySent()
    const { name, timeoutMs, needsNumber, retryNumber } = options ? this.#terms.of(options) : this.#terms.usual
    const taskName = called.kind === 'task' ? called.task.taskName : called.name
    const key = called.kind === 'task' ? called.task : called.name
    let known = this.#functions.get(key)
    if (known === undefined) this.#functions.set(key, (known = { index: this.#functions.size, called }))
    const terms = {
      function: known.index,
      name: name ?? taskName,
      timeout: timeoutMs === undefined ? undefined : durationToWire(timeoutMs),
      needs: needsNumber,
      retryPolicy: retryNumber,
    }
    this.#tasks.push(taskCall(terms, args, encoder, taskName))
    return this.job.addFuture(taskName)
  }

  /** Sends the job. Futures are there at once; `job.submitted` says when the scheduler has recorded it. */
  send(): MeshJob {
    const { job } = this
    job.isSent = true
    this.#connection.jobs.add(job)
    job.submitted = this.#send().then(
      (durability) => {
        this.#span.end()
        // The job keeps this submission for what it knows of its functions; a million inputs need not stay.
        this.#tasks = []
        return durability
      },
      (error: unknown) => {
        // See MeshConnection.#lose.
        if (isLeaving()) return new Promise<never>(() => undefined)
        const known = meshErrorIfRpc(error)
        failSpan(this.#span, known)
        this.#span.end()
        job.fail(known)
        this.#connection.jobs.noteSettled(job)
        throw known
      },
    )
    // Whoever asks for a result hears of it; nobody has to ask for the submit itself.
    job.submitted.catch(() => undefined)
    return job
  }

  async #send(): Promise<DurabilityLevel> {
    const functions = await Promise.all([...this.#functions.values()].map(({ called }) => this.#functionOf(called)))
    await this.#connection.blobs.upload(this.#encoder?.blobs.values() ?? [], this.job.carrier)
    const { endings, needs, retryPolicies } = this.#terms
    const spec: JobSpec = {
      jobId: this.job.id,
      name: this.job.name,
      functions,
      tasks: this.#tasks,
      seed: BigInt(this.#options.seed ?? 0),
      trace: new Map(Object.entries(this.job.carrier)),
      detached: this.#options.detached ?? false,
      ...endingsToWire(endings),
      needs: needs.values,
      retryPolicies: retryPolicies.values.map(retryToWire),
      ...(this.#options.profile && { profile: ProfileKind.CPU }),
      parent: undefined,
    }
    const durability = await this.#connection.session.submit(spec, { durability: this.#durability })
    // The job's futures keep this submission; its arguments are the scheduler's now.
    this.#tasks.length = 0
    this.#encoder = undefined
    return durability
  }

  async #functionOf(called: Called): Promise<FunctionRef> {
    if (called.kind === 'registered') {
      const at = called.name.lastIndexOf('@')
      const name = at < 0 ? called.name : called.name.slice(0, at)
      return { function: { $case: 'registered', value: { name, version: at < 0 ? '' : called.name.slice(at + 1) } } }
    }
    const { taskName } = called.task
    const bundle = await bundleTask(called.task)
    await this.#connection.blobs.upload([{ digest: bundle.digest, bytes: bundle.archive }], this.job.carrier)
    return bundledFunction(bundle.digest, taskName)
  }

  #localize(stack: string, taskId: string, taskName: string): string {
    if (jobIdOf(taskId) !== this.job.id) {
      // An input of another job of this program.
      return this.#connection.jobs.get(jobIdOf(taskId))?.localize(stack, taskId, taskName) ?? stack
    }
    for (const { called } of this.#functions.values()) {
      if (called.kind === 'task' && called.task.taskName === taskName)
        return localizeStack(stack, called.task.moduleUrl)
    }
    return stack
  }
}

function jobIdOf(taskId: string): string {
  return taskId.slice(0, taskId.lastIndexOf('/'))
}

function meshErrorIfRpc(error: unknown): Error {
  // Bundling and encoding errors say what to do; only RPC errors need another face.
  const isRpc = error instanceof Error && 'code' in error && 'path' in error
  return isRpc || !(error instanceof Error) ? meshErrorOf(error) : error
}
