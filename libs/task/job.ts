import type { TaskFuture } from './future.js'
import type { DurabilityLevel } from './submit-options.js'

/** How many tasks of a job are in which state. */
export interface JobCounts {
  readonly total: number
  readonly finished: number
  readonly failed: number
  readonly cancelled: number
}

/** What tasks report while they run. */
export interface ProgressReport {
  readonly taskId: string
  /** From 0 to 1. */
  readonly fraction: number
  readonly message: string
  readonly iteration?: number
  readonly cost?: number
}

/** A line that a task wrote with ctx.log or console. */
export interface TaskLine {
  readonly taskId: string
  readonly attempt: number
  readonly workerId: string
  readonly atMs: number
  readonly level: string
  readonly text: string
}

/** What was submitted in one go: one id, one owner, one trace. */
export interface Job {
  readonly id: string
  readonly name: string
  /** The trace of everything that the job did, lower-case hexadecimal; empty when nothing was traced. */
  readonly traceId: string
  /** The job's trace context as strings; empty when it is not traced. Spans of the program can hang below it. */
  readonly carrier: Readonly<Record<string, string>>
  readonly futures: readonly TaskFuture<unknown>[]
  /** How far the submit is safe, once it is acknowledged: `memory` or `fsynced`. Rejects when the submit is refused. */
  readonly submitted: Promise<DurabilityLevel>
  counts(): JobCounts
  cancel(): Promise<void>
  /** Keeps the job's results under a name, also when its handles and its client are gone. */
  persist(name: string): Promise<void>
  /** Gives all results of the job up. */
  release(): void
  onProgress(listener: (report: ProgressReport) => void): void
  onLog(listener: (line: TaskLine) => void): void
}
