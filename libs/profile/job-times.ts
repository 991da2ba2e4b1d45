/** How far a task is. */
export type TaskStage = 'waiting' | 'queued' | 'assigned' | 'running' | 'finished' | 'failed' | 'cancelled'

/**
 * When what happened to a task: milliseconds since the Unix epoch, 0 where that is not so yet or is forgotten. Start and end
 * are by the clock of the worker, the other times by that of the scheduler. Of several attempts the last one counts.
 */
export interface TaskTimes {
  readonly index: number
  readonly name: string
  readonly stage: TaskStage
  readonly attempt: number
  readonly workerId: string
  readonly slot: number
  /** When it was ready for its first attempt, and for this one. */
  readonly firstReadyAtMs: number
  readonly readyAtMs: number
  readonly sentAtMs: number
  readonly startedAtMs: number
  readonly endedAtMs: number
  readonly settledAtMs: number
  /** How long its worker took to bring its inputs. */
  readonly fetchMs: number
  /** How long it waited without a slot for tasks that it submitted. */
  readonly parkedMs: number
  /** Bytes of the large objects among its inputs, and of its result. */
  readonly inputBytes: number
  readonly resultBytes: number
  /** Tasks of the same job whose results it takes, by index. */
  readonly inputs: readonly number[]
  /** Jobs that it submitted. */
  readonly childJobIds: readonly string[]
}

/** The times of a job and its tasks. */
export interface JobTimes {
  readonly jobId: string
  readonly name: string
  /** 0 when that is forgotten. */
  readonly submittedAtMs: number
  /** Nothing while tasks are open. */
  readonly settledAtMs: number | undefined
  /** By index; of a forgotten job only those that something is remembered of. */
  readonly tasks: readonly TaskTimes[]
}

/** A worker as it is when the profile is made. */
export interface WorkerFacts {
  readonly id: string
  readonly host: string
  readonly slots: number
  readonly rssBytes: number
  /** The most so far; 0 when that is not known. */
  readonly peakRssBytes: number
  readonly heldBytes: number
  readonly spilledBytes: number
}
