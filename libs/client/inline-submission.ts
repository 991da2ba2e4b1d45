import { randomUUID } from 'node:crypto'
import { format } from 'node:util'

import type { FailedAttempt, TaskFailure } from '#libs/domain'
import type { Reference } from '#libs/proto'
import {
  decodeArguments,
  durabilityToWire,
  type InputBody,
  JobTerms,
  MeshJob,
  nameOfArgument,
  shareInputs,
  type TaskTerms,
} from '#libs/submission'
import {
  type AnyTask,
  codecsOf,
  createInlineContext,
  errorOfFailure,
  type GraphTaskOptions,
  isSharedInput,
  type MeshError,
  ScatteredObject,
  type SubmitOptions,
  type TaskContext,
  TaskFuture,
  type TaskLog,
} from '#libs/task'
import { encodePayload, encodeValue } from '#libs/value'

import { graphAlreadySent } from './graph.js'
import { runUntilStopped } from './inline-attempt.js'
import { putTogether, takeApart } from './inline-body.js'
import { createInlineCheckpoint, type InlineCheckpoint } from './inline-checkpoint.js'
import { InlineChildren } from './inline-children.js'
import type { InlineState } from './inline-cluster.js'
import { InlineSamples } from './inline-samples.js'
import { InlineTimes } from './inline-times.js'
import { inlineAttempt, InlineEndings, waitUnlessSettled } from './inline-endings.js'
import { inlineFailureOf, inlineInputFailureOf } from './inline-failure.js'

/** Who runs the tasks of an inline cluster, as their timing says. */
const workerId = 'inline'

/** Brings a value that an argument refers to. */
type InlineInput = () => Promise<InputBody>

/** A task with its arguments, taken apart as for a mesh. */
interface InlineCall {
  readonly task: AnyTask
  readonly payload: Uint8Array
  readonly index: number
  readonly future: TaskFuture<unknown>
  /** The values of futures and scattered objects in the arguments, by their ids. */
  readonly inputs: ReadonlyMap<string, InlineInput>
  readonly terms: TaskTerms
}

/** One job of an inline cluster: tasks are added, then it is put into the line. */
export class InlineSubmission {
  readonly job: MeshJob
  readonly #state: InlineState
  readonly #options: SubmitOptions
  readonly #terms: JobTerms
  readonly #calls: InlineCall[] = []
  readonly #endings: InlineEndings
  readonly #times: InlineTimes
  readonly #samples: InlineSamples | undefined
  /** What runs now, by the task's index. */
  readonly #running = new Map<number, AbortController>()
  /** What tasks saved, for their next attempts. */
  readonly #checkpoints = new Map<number, InlineCheckpoint>()
  /** Arrays that tasks of this job share, each taken apart once. */
  readonly #sharedArrays = new Map<object, { readonly id: string; readonly body: InputBody }>()

  constructor(state: InlineState, options: SubmitOptions, name: string) {
    this.#state = state
    this.#options = options
    this.#terms = new JobTerms(options)
    // Nothing of an inline cluster outlives its program, whatever is asked.
    durabilityToWire(options)
    const id = `j-${randomUUID().replaceAll('-', '').slice(0, 16)}`
    const job: MeshJob = new MeshJob(
      id,
      options.name ?? name,
      {},
      {
        fetch: (future) => {
          const what = `the result of task ${future.taskName} (${future.id})`
          return putTogether(future.wireResult as InputBody, { what })
        },
        cancel: async (_jobId, indices) => this.#cancel(indices.length > 0 ? indices : [...job.futures.keys()]),
        release: () => undefined,
        persist: async (_jobId, as) => void state.jobs.set(as, job),
        localize: (stack) => stack,
      },
    )
    this.job = job
    this.#times = new InlineTimes(job)
    if (options.profile) state.samples.set(id, (this.#samples = new InlineSamples()))
    this.#endings = new InlineEndings(this.#terms.endings, options.seed ?? 0, job, (index, failure) =>
      this.#stop(index, failure),
    )
  }

  /** Adds a task. Arguments are read now: what the program does to them later does not matter. */
  add(task: AnyTask, args: readonly unknown[], options?: GraphTaskOptions): TaskFuture<unknown> {
    if (this.job.isSent) throw graphAlreadySent()
    const terms = options ? this.#terms.of(options) : this.#terms.usual
    const inputs = new Map<string, InlineInput>()
    const findReference = (value: object): Reference | undefined => {
      const shared = isSharedInput(value)
      const named = this.#namedInput(shared ? value.input : value, shared)
      if (named === undefined) return undefined
      inputs.set(...named)
      return { target: { $case: 'objectId', value: named[0] }, shared }
    }
    const payload = encodePayload(encodeValue([...args], nameOfArgument(task.taskName), { findReference }))
    const future = this.job.addFuture(task.taskName)
    this.#times.add(options?.name ?? task.taskName, inputs.keys())
    this.#calls.push({ task, payload, index: this.#calls.length, future, inputs, terms })
    return future
  }

  /** Puts the tasks into the line. */
  send(): void {
    this.job.isSent = true
    if (this.#calls.length === 0) return
    this.#state.jobs.set(this.job.id, this.job)
    this.#state.times.set(this.job.id, this.#times)
    this.#times.submitted()
    for (const call of this.#calls) this.#state.line = this.#state.line.then(() => this.#run(call))
    this.#endings.start()
  }

  /** A job that the mesh would not have. */
  refuse(taskName: string, error: MeshError): TaskFuture<unknown> {
    this.job.isSent = true
    const future = this.job.addFuture(taskName)
    this.job.submitted = Promise.reject(error)
    this.job.submitted.catch(() => undefined)
    this.job.fail(error)
    return future
  }

  /** What an argument refers to, with its id; nothing for a value that travels with the others. */
  #namedInput(value: object, isShared: boolean): [string, InlineInput] | undefined {
    if (value instanceof TaskFuture) {
      value.checkArgumentOf(this.job)
      return [value.id, () => resultBodyOf(value)]
    }
    if (value instanceof ScatteredObject) {
      // As it is now: who released it later does not matter.
      const held = this.#state.scattered.get(value.id)
      return [value.id, async () => held ?? takeApart(await value.result(), 'a scattered value')]
    }
    if (!isShared) return undefined
    let known = this.#sharedArrays.get(value)
    if (known === undefined) {
      known = { id: `o-${randomUUID()}`, body: takeApart(value, 'a shared argument') }
      this.#sharedArrays.set(value, known)
    }
    const { id, body } = known
    return [id, async () => body]
  }

  /** Runs the task, as often as it is tried: meanwhile it keeps its turn. */
  async #run(call: InlineCall): Promise<void> {
    const { future, index } = call
    const history: FailedAttempt[] = []
    this.#endings.expire()
    while (!future.done) {
      const waitMs = await this.#runOnce(call, history)
      if (waitMs === undefined) break
      await waitUnlessSettled(future, waitMs)
    }
    this.#checkpoints.delete(index)
    this.#endings.finish()
  }

  /** Runs the task once. Returns how long to wait before it is tried again; nothing when it is settled. */
  async #runOnce(call: InlineCall, history: FailedAttempt[]): Promise<number | undefined> {
    const { future, index } = call
    const stop = new AbortController()
    this.#running.set(index, stop)
    const attempt = history.length + 1
    const startedAtMs = Date.now()
    this.#times.turnCame(index, attempt)
    const outcome = await this.#attempt(call, stop, attempt).catch((error: unknown) => inlineFailureOf(error))
    this.#running.delete(index)
    // The time may have been over before a busy loop was.
    this.#endings.expire()
    const timing = { workerId, slot: 0, attempt, startedAtMs, endedAtMs: Date.now() }
    if ('bytes' in outcome) {
      this.#times.made(index, outcome.bytes.byteLength)
      future.settle({ kind: 'finished', result: outcome, timing })
      return undefined
    }
    history.push(inlineAttempt(outcome, timing))
    const waitMs = future.done ? undefined : this.#endings.retryWaitMs(index, history, call.terms.retry)
    if (waitMs !== undefined || future.done) return waitMs
    const failure = { ...outcome, workerId, attempts: attempt, ...(attempt > 1 ? { history } : {}) }
    const error = errorOfFailure(future.id, future.taskName, failure)
    future.settle({ kind: 'failed', error, cancelled: outcome.kind === 'cancelled', timing })
    this.#endings.noteFailure(failure)
    return undefined
  }

  async #attempt(call: InlineCall, stop: AbortController, attempt: number): Promise<InputBody | TaskFailure> {
    const { task, payload, inputs, future, terms } = call
    const bodies = new Map<string, InputBody>()
    try {
      for (const [id, bring] of inputs) bodies.set(id, await bring())
    } catch (error) {
      return inlineInputFailureOf(error)
    }
    const { verifyInputs } = this.#state
    const codecs = codecsOf(task)
    const jobId = this.job.id
    const what = `task ${task.taskName} (${future.id})`
    const seen = verifyInputs ? bodies : shareInputs(payload, jobId, bodies)
    const args = decodeArguments(payload, seen, { what, jobId, codecs, verifyInputs, areOwned: false })
    const children = new InlineChildren(
      this.#state,
      stop.signal,
      (state, options, name) => new InlineSubmission(state, options, name),
      (jobId) => this.#times.childSubmitted(call.index, jobId),
    )
    const context = this.#contextOf(call, stop, attempt, children)
    const run = task as unknown as (...all: unknown[]) => Promise<unknown>
    try {
      this.#samples?.begin()
      this.#times.started(call.index)
      const result = await runUntilStopped(future.id, () => run(...args.values, context), stop, terms.timeoutMs)
      this.#times.ended(call.index)
      const change = args.watch?.findChange(undefined)
      if (change) throw change
      return takeApart(result, `the result of task ${future.id}`, { codecs })
    } catch (error) {
      throw args.watch?.findChange(error) ?? error
    } finally {
      this.#times.ended(call.index)
      this.#samples?.end()
      children.close()
    }
  }

  #contextOf(
    { task, future, index, terms }: InlineCall,
    { signal }: AbortController,
    attempt: number,
    children: InlineChildren,
  ): TaskContext {
    const { job } = this
    const taskId = future.id
    const checkpoint = this.#checkpoints.get(index) ?? createInlineCheckpoint(taskId, codecsOf(task))
    this.#checkpoints.set(index, checkpoint)
    const endsAtMs = Math.min(Date.now() + (terms.timeoutMs ?? Infinity), this.#endings.deadlineMs ?? Infinity)
    return createInlineContext({
      ...{ taskId, jobId: job.id, taskIndex: index, attempt, seed: this.#options.seed ?? 0, signal },
      // As many as the task asks for: one runs at a time.
      devices: Array.from({ length: terms.needs?.resources.get('gpu') ?? 0 }, (_, device) => device),
      submitter: children.submitter(),
      ...(endsAtMs === Infinity ? {} : { deadline: new Date(endsAtMs) }),
      checkpoint: checkpoint.of(signal),
      progress: (fraction, detail = {}) =>
        job.reportProgress({ taskId, fraction, message: detail.message ?? '', ...detail }),
      log: createInlineLog((level, text) =>
        job.reportLine({ taskId, attempt, workerId, atMs: Date.now(), level, text }),
      ),
    })
  }

  #cancel(indices: readonly number[]): void {
    for (const index of indices) {
      const future = this.job.futures[index]
      if (future === undefined) continue
      const message = `task ${future.id} was cancelled: its client asked for it`
      this.#stop(index, { kind: 'cancelled', reason: 'CANCELLED', message }, 'its client asked for it')
    }
  }

  /** Settles what is not settled, and tells what runs to stop. */
  #stop(index: number, failure: TaskFailure, reason = failure.message): void {
    const future = this.job.futures[index]
    if (future && !future.done) {
      const error = errorOfFailure(future.id, future.taskName, failure)
      future.settle({ kind: 'failed', error, cancelled: failure.kind === 'cancelled', timing: undefined })
    }
    this.#running.get(index)?.abort(new Error(reason))
    this.#endings.finish()
  }
}

/** The result as its task gave it: also one that was released since, and one of another cluster. */
async function resultBodyOf(future: TaskFuture<unknown>): Promise<InputBody> {
  await future.settled()
  const result = future.wireResult as Partial<InputBody> | undefined
  if (result?.kind === 'body') return result as InputBody
  return takeApart(await future.resultForTask(), `the result of task ${future.id}`)
}

/** Lines go to the console, as those of a task that is called directly, and to who listens to the job. */
function createInlineLog(report: (level: string, text: string) => void): TaskLog {
  const write =
    (level: 'debug' | 'info' | 'warn' | 'error') =>
    (message: string, fields?: Record<string, unknown>): void => {
      console[level](...(fields === undefined ? [message] : [message, fields]))
      report(level, fields === undefined ? message : format(message, fields))
    }
  return { debug: write('debug'), info: write('info'), warn: write('warn'), error: write('error') }
}
