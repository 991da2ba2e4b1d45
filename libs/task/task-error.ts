import type { FailedAttempt, TaskFailure } from '#libs/domain'

// A bundle brings a copy of the library of its own: what a worker throws into a task is an instance of the task's classes, too.
const taskErrorBrand = Symbol.for('costate.TaskError')
const cancelledErrorBrand = Symbol.for('costate.TaskCancelledError')
const meshErrorBrand = Symbol.for('costate.MeshError')

function isBranded(value: unknown, brand: symbol): boolean {
  return typeof value === 'object' && value !== null && brand in value
}

/**
 * A task failed. `kind` says which class of failure it was (`userError`, `workerLost`, `timeout`, `cancelled`,
 * `outOfMemory`, `bundle`, `input`, `result`); `remoteStack` is the stack on the worker, in the user's own files;
 * `cause` is what the task's error had as its cause.
 */
export class TaskError extends Error {
  static override [Symbol.hasInstance](value: unknown): boolean {
    return isBranded(value, taskErrorBrand)
  }

  override readonly name: string = 'TaskError'
  readonly taskId: string
  readonly taskName: string
  readonly kind: TaskFailure['kind']
  readonly reason: string
  /** The name of the error as the task threw it, such as RangeError. */
  readonly errorName: string | undefined
  readonly remoteStack: string | undefined
  readonly workerId: string | undefined
  readonly attempts: number
  /** What happened to each attempt, when there were several: the first and the newest ones. */
  readonly history: readonly FailedAttempt[]
  readonly #failure: TaskFailure

  constructor(taskId: string, taskName: string, failure: TaskFailure, localize: Localize) {
    const tries = (failure.history?.length ?? 0) > 1 ? ` after ${failure.attempts ?? 0} attempts` : ''
    const where = (failure.workerId ? ` on worker ${failure.workerId}` : '') + tries
    const what = failure.errorName ? `${failure.errorName}: ${failure.message}` : failure.message
    const message =
      failure.kind === 'cancelled' ? failure.message : `task ${taskName} (${taskId}) failed${where}: ${what}`
    super(message, causeOf(taskId, taskName, failure, localize))
    this.#failure = failure
    this.taskId = taskId
    this.taskName = taskName
    this.kind = failure.kind
    this.reason = failure.reason
    this.errorName = failure.errorName
    this.workerId = failure.workerId
    this.attempts = failure.attempts ?? 0
    this.history = failure.history ?? []
    this.remoteStack = failure.stack && localize(failure.stack, taskId, taskName)
    // The frames that help are where the task threw; this side's are those of a stream that brought the news.
    const frames = this.remoteStack?.split('\n').filter((line) => /^\s+at /.test(line)) ?? []
    if (frames.length > 0) this.stack = `${this.name}: ${this.message}\n${frames.join('\n')}`
  }

  /** @internal */
  get [taskErrorBrand](): true {
    return true
  }

  /** @internal */
  get failure(): TaskFailure {
    return this.#failure
  }
}

/** Maps a remote stack to the user's files: that of the task named, which may be another one's input. */
export type Localize = (stack: string, taskId: string, taskName: string) => string

/** A task was cancelled before it ended. */
export class TaskCancelledError extends TaskError {
  static override [Symbol.hasInstance](value: unknown): boolean {
    return isBranded(value, cancelledErrorBrand)
  }

  override readonly name = 'TaskCancelledError'

  /** @internal */
  get [cancelledErrorBrand](): true {
    return true
  }
}

/** The error that a failure is thrown as. */
export function errorOfFailure(
  taskId: string,
  taskName: string,
  failure: TaskFailure,
  localize: Localize = (stack) => stack,
): TaskError {
  const Class = failure.kind === 'cancelled' ? TaskCancelledError : TaskError
  return new Class(taskId, taskName, failure, localize)
}

function causeOf(taskId: string, taskName: string, { cause }: TaskFailure, localize: Localize): ErrorOptions {
  if (cause === undefined) return {}
  const known =
    cause.taskId === undefined ? { taskId, taskName } : { taskId: cause.taskId, taskName: cause.taskName ?? '' }
  return { cause: errorOfFailure(known.taskId, known.taskName, cause, localize) }
}

/** What the mesh said of a refusal besides its reason. */
export interface MeshErrorDetails {
  readonly metadata?: Readonly<Record<string, string>>
  readonly retryDelayMs?: number | undefined
  readonly fieldViolations?: readonly { readonly field: string; readonly description: string }[]
}

/** The mesh refused a request, or cannot be reached. `code` is the canonical gRPC code, `reason` names the cause. */
export class MeshError extends Error {
  static override [Symbol.hasInstance](value: unknown): boolean {
    return isBranded(value, meshErrorBrand)
  }

  override readonly name = 'MeshError'
  readonly code: string
  readonly reason: string
  /** What it is about, for programs, such as the job's id. */
  readonly metadata: Readonly<Record<string, string>>
  /** Do not ask again before; undefined when asking again cannot help. */
  readonly retryDelayMs: number | undefined
  /** Which fields of the request are wrong. */
  readonly fieldViolations: readonly { readonly field: string; readonly description: string }[]

  constructor(code: string, reason: string, message: string, options: ErrorOptions & MeshErrorDetails = {}) {
    super(message, 'cause' in options ? { cause: options.cause } : {})
    this.code = code
    this.reason = reason
    this.metadata = options.metadata ?? {}
    this.retryDelayMs = options.retryDelayMs
    this.fieldViolations = options.fieldViolations ?? []
  }

  /** @internal */
  get [meshErrorBrand](): true {
    return true
  }
}
