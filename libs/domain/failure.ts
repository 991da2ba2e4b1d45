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
  readonly cause?: TaskFailure
  /** The task that failed so, where it is another than the one that is spoken of: of a failed input. */
  readonly taskId?: string
  readonly taskName?: string
}
