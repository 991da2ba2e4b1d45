import type { JobSpec as WireJobSpec, SessionSubmit } from '#libs/proto'
import { rpcError } from '#libs/rpc'

import type { AttemptRef } from '../core/event.js'
import { specBytes } from '../core/spec-size.js'
import type { JobSpec, TaskSpec } from '../core/job-spec.js'
import type { State } from '../core/state.js'
import { invalid } from './invalid.js'
import { jobToDomain, maxTasksPerJob, parentToDomain, tasksToDomain } from './to-domain.js'

/** How many jobs of a session may be on their way in parts at once, and what their tasks may take together. */
const maxOpenSubmits = 16
const maxOpenBytes = 2 ** 30
/** Of so many refused jobs it is remembered that their later parts are not heard. */
const maxRefused = 1_000

/** A job whose parts have all come, with the attempt that submits it, when a task does. */
export interface WholeJob {
  readonly job: JobSpec
  readonly parent: AttemptRef | undefined
}

interface PartialJob extends WholeJob {
  readonly tasks: TaskSpec[]
  byteLength: number
}

/** The jobs of a session that come in parts: those parts that came so far. */
export class OpenSubmits {
  readonly #state: State
  readonly #parts = new Map<string, PartialJob>()
  /** Jobs that were refused with an early part. */
  readonly #refused = new Set<string>()
  #byteLength = 0

  constructor(state: State) {
    this.#state = state
  }

  /** Takes a part; gives the job with its last one. A job that lacks a part is never taken for a whole one. */
  take({ requestId, job: wire, more }: SessionSubmit): WholeJob | undefined {
    if (this.#refused.has(requestId)) {
      if (!more) this.#refused.delete(requestId)
      return undefined
    }
    const begun = this.#parts.get(requestId)
    if (begun && this.#parts.delete(requestId)) this.#byteLength -= begun.byteLength
    try {
      if (wire === undefined) throw invalid('NO_JOB', 'the request holds no job', 'job')
      const partial = this.#join(begun, wire)
      if (!more) return { job: { ...partial.job, tasks: partial.tasks }, parent: partial.parent }
      this.#keep(requestId, partial)
      return undefined
    } catch (error) {
      if (more) this.#refuseRest(requestId)
      throw error
    }
  }

  #join(begun: PartialJob | undefined, wire: WireJobSpec): PartialJob {
    if (begun === undefined) {
      const job = jobToDomain(this.#state, wire)
      const parent = parentToDomain(wire.parent)
      return { job, parent, tasks: [...job.tasks], byteLength: bytesOf(job.tasks) }
    }
    if (begun.tasks.length + wire.tasks.length > maxTasksPerJob) {
      throw invalid('TOO_MANY_TASKS', `a job has at most ${maxTasksPerJob} tasks`, 'job.tasks')
    }
    const { jobId, needs = [], retryPolicies = [] } = begun.job
    const said = { needs: needs.length, retryPolicies: retryPolicies.length }
    const more = tasksToDomain(jobId, wire.tasks, begun.tasks.length, said)
    for (const task of more) begun.tasks.push(task)
    begun.byteLength += bytesOf(more)
    return begun
  }

  #keep(requestId: string, partial: PartialJob): void {
    const full = this.#parts.size >= maxOpenSubmits
    if (full || this.#byteLength + partial.byteLength > maxOpenBytes) {
      const message = full
        ? `${maxOpenSubmits} jobs of this session are on their way already: send their last parts before another job`
        : `the parts of jobs on their way take more than ${maxOpenBytes / 2 ** 20} MiB: put large inputs into the checkpoint-store, or submit smaller jobs`
      const quotas = [{ subject: full ? 'open submits' : 'bytes of open submits', description: message }]
      throw rpcError('RESOURCE_EXHAUSTED', 'TOO_MANY_PARTS', message, { quotas })
    }
    this.#parts.set(requestId, partial)
    this.#byteLength += partial.byteLength
  }

  #refuseRest(requestId: string): void {
    this.#refused.add(requestId)
    for (const oldest of this.#refused) {
      if (this.#refused.size <= maxRefused) return
      this.#refused.delete(oldest)
    }
  }
}

function bytesOf(tasks: readonly TaskSpec[]): number {
  return tasks.reduce((sum, spec) => sum + specBytes(spec), 0)
}
