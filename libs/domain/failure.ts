/** The classes of failure of a task; retry policies and blame go by them. */
export type FailureKind =
  'userError' | 'workerLost' | 'timeout' | 'cancelled' | 'outOfMemory' | 'bundle' | 'input' | 'result'

/** Why a task failed. A failed task is data, never an exception inside the mesh. */
export interface TaskFailure {
  readonly kind: FailureKind
  /** UPPER_SNAKE reason within the class, such as MODULE_NOT_LOADED. */
  readonly reason: string
  /** What happened, to what, and what to do next. */
  readonly message: string
  /** The name of the error as the task threw it. */
  readonly errorName?: string
  /** The remote stack, mapped to the user's source files. */
  readonly stack?: string
  readonly workerId?: string
  readonly attempts?: number
  /** The attempts that failed, when there were several: the first and the newest ones. */
  readonly history?: readonly FailedAttempt[]
  readonly cause?: TaskFailure
  /** The task that failed so, where it is another than the one that is spoken of: of a failed input. */
  readonly taskId?: string
  readonly taskName?: string
}

/** An attempt that did not settle its task, or not well. */
export interface FailedAttempt {
  readonly attempt: number
  /** Empty when no worker ran it. */
  readonly workerId: string
  /** When its code began and ended, milliseconds since the Unix epoch; 0 when nobody knows. */
  readonly startedAtMs: number
  readonly endedAtMs: number
  readonly kind: FailureKind
  readonly reason: string
  /** Cut when it is long. */
  readonly message: string
}
