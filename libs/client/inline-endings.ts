import {
  type FailedAttempt,
  type RetryableKind,
  retryableKinds,
  retryDelayMs,
  type RetryPolicy,
  type TaskFailure,
} from '#libs/domain'
import type { Endings, MeshJob } from '#libs/submission'
import type { TaskFuture } from '#libs/task'

/** Timers take no more. */
const longestTimerMs = 2 ** 31 - 1
const maxMessageLength = 500

/** How a job of an inline cluster may end: what is tried again, until when, and whether the first failure ends it. */
export class InlineEndings {
  readonly deadlineMs: number | undefined
  readonly #endings: Endings
  readonly #seed: bigint
  readonly #job: MeshJob
  readonly #fail: (index: number, failure: TaskFailure) => void
  #retries = 0
  #timer: NodeJS.Timeout | undefined

  /** `fail` settles a task as failed, and stops it if it runs. */
  constructor(
    endings: Endings,
    seed: bigint | number,
    job: MeshJob,
    fail: (index: number, failure: TaskFailure) => void,
  ) {
    this.#endings = endings
    this.deadlineMs = this.#endings.deadlineMs
    this.#seed = BigInt(seed)
    this.#job = job
    this.#fail = fail
  }

  /** The job is in the line: its time runs. */
  start(): void {
    if (this.deadlineMs === undefined) return
    this.#timer = setTimeout(() => this.start(), Math.min(this.deadlineMs - Date.now(), longestTimerMs))
    this.expire()
  }

  /** Ends the job when its time is over: a busy loop lets no timer run. */
  expire(): void {
    if (this.deadlineMs === undefined || Date.now() < this.deadlineMs) return
    const deadline = new Date(this.deadlineMs).toISOString()
    this.#failRest(({ id }) => {
      const message = `task ${id} was not done by the deadline of its job, ${deadline}`
      return { kind: 'timeout', reason: 'JOB_DEADLINE', message }
    })
    clearTimeout(this.#timer)
  }

  /** After the last task the job has no more time to watch. */
  finish(): void {
    if (this.#job.isSettled) clearTimeout(this.#timer)
  }

  /**
   * How long to wait before the task is tried again after the last of these attempts; nothing when it is not. `own` is its
   * policy, when it is not the job's.
   */
  retryWaitMs(index: number, attempts: readonly FailedAttempt[], own?: RetryPolicy): number | undefined {
    const { retry: ofJob } = this.#endings
    const retry = own ?? ofJob
    const kind = retryableKinds.find((retryable) => retryable === attempts.at(-1)?.kind)
    if (retry === undefined || kind === undefined) return undefined
    const limit = retry.maxAttempts[kind] ?? 1
    if (countOf(attempts, kind) >= limit || this.#retries >= (ofJob?.budget ?? Infinity)) return undefined
    const waitMs = retryDelayMs(retry, attempts.length, { jobId: this.#job.id, seed: this.#seed, index })
    if (this.deadlineMs !== undefined && Date.now() + waitMs >= this.deadlineMs) return undefined
    this.#retries++
    return waitMs
  }

  /** A task failed for good. */
  noteFailure(cause: TaskFailure): void {
    if (!this.#endings.failFast || cause.kind === 'cancelled') return
    this.#failRest(({ id }) => {
      const message = `task ${id} was cancelled, because another of its job failed: ${cause.message}`
      return { kind: 'cancelled', reason: 'FAIL_FAST', message, cause }
    })
  }

  #failRest(failureOf: (future: TaskFuture<unknown>) => TaskFailure): void {
    for (const [index, future] of this.#job.futures.entries()) if (!future.done) this.#fail(index, failureOf(future))
  }
}

/** What happened to an attempt, in short. */
export function inlineAttempt(
  { kind, reason, message }: TaskFailure,
  where: Pick<FailedAttempt, 'attempt' | 'workerId' | 'startedAtMs' | 'endedAtMs'>,
): FailedAttempt {
  const short = message.length > maxMessageLength ? `${message.slice(0, maxMessageLength)}…` : message
  const { attempt, workerId, startedAtMs, endedAtMs } = where
  return { attempt, workerId, startedAtMs, endedAtMs, kind, reason, message: short }
}

/** Resolves after the time, or when the task is settled in another way. */
export async function waitUnlessSettled(future: TaskFuture<unknown>, ms: number): Promise<void> {
  let timer: NodeJS.Timeout | undefined
  await Promise.race([future.settled(), new Promise<void>((resolve) => (timer = setTimeout(resolve, ms)))])
  clearTimeout(timer)
}

function countOf(attempts: readonly FailedAttempt[], kind: RetryableKind): number {
  return attempts.filter((attempt) => attempt.kind === kind).length
}
