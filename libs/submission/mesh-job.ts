import type { TaskSettled } from '#libs/proto'
import {
  type FutureBackend,
  TaskFuture,
  type Timing,
  type DurabilityLevel,
  type Job,
  type JobCounts,
  type ProgressReport,
  type TaskLine,
  errorOfFailure,
} from '#libs/task'

import { failureFromWire } from './failure-from-wire.js'

/** What a job needs of its cluster. */
export interface MeshJobBackend {
  fetch(future: TaskFuture<unknown>): unknown
  /** See FutureBackend. */
  readonly stream?: FutureBackend['stream']
  cancel(jobId: string, indices: readonly number[]): Promise<void>
  release(objectIds: readonly string[]): void
  persist(jobId: string, name: string): Promise<void>
  /** Maps a remote stack to the user's files: that of a task of this job, or of an input of one. */
  localize(stack: string, taskId: string, taskName: string): string
  /** See FutureBackend. */
  readonly pause?: FutureBackend['pause']
}

/** A job on a mesh, as this client sees it. */
export class MeshJob implements Job {
  readonly id: string
  readonly name: string
  readonly traceId: string
  readonly carrier: Record<string, string>
  readonly futures: TaskFuture<unknown>[] = []
  submitted: Promise<DurabilityLevel> = Promise.resolve('memory')
  /** Whether it is on its way: no more tasks are added. */
  isSent = false
  /** How long gathers of its results took after its last settle; nothing when there was none. */
  gatherMs: number | undefined
  #heardAtMs = 0
  readonly #backend: MeshJobBackend
  /** All futures before this one are settled. */
  #settledBefore = 0
  /** The same for all futures: there may be a million. */
  readonly #futureBackend: FutureBackend
  readonly #progress: ((report: ProgressReport) => void)[] = []
  readonly #lines: ((line: TaskLine) => void)[] = []

  constructor(id: string, name: string, carrier: Record<string, string>, backend: MeshJobBackend) {
    this.id = id
    this.name = name
    this.carrier = carrier
    this.traceId = /^00-([0-9a-f]{32})-/.exec(carrier['traceparent'] ?? '')?.[1] ?? ''
    this.#backend = backend
    this.#futureBackend = {
      job: this,
      isSent: () => this.isSent,
      fetch: (future) => backend.fetch(future),
      stream: backend.stream,
      cancel: ({ id: objectId }) => backend.cancel(id, [indexOf(objectId)]),
      release: (objectIds) => backend.release(objectIds),
      pause: backend.pause,
    }
  }

  /** Adds the future of the job's next task. */
  addFuture(taskName: string): TaskFuture<unknown> {
    const future = new TaskFuture<unknown>(`${this.id}/${this.futures.length}`, taskName, this.#futureBackend)
    this.futures.push(future)
    return future
  }

  get isSettled(): boolean {
    while (this.futures[this.#settledBefore]?.done) this.#settledBefore++
    return this.#settledBefore >= this.futures.length
  }

  counts(): JobCounts {
    const counts = { total: this.futures.length, finished: 0, failed: 0, cancelled: 0 }
    for (const { status } of this.futures) if (status !== 'pending') counts[status]++
    return counts
  }

  async cancel(): Promise<void> {
    await this.#backend.cancel(this.id, [])
  }

  async persist(name: string): Promise<void> {
    await this.submitted
    await this.#backend.persist(this.id, name)
  }

  release(): void {
    for (const future of this.futures) future.markReleased()
    this.#backend.release(this.futures.map(({ id }) => id))
  }

  onProgress(listener: (report: ProgressReport) => void): void {
    this.#progress.push(listener)
  }

  onLog(listener: (line: TaskLine) => void): void {
    this.#lines.push(listener)
  }

  /** The scheduler says how tasks ended. */
  take(settles: readonly TaskSettled[]): void {
    this.#heardAtMs = performance.now()
    for (const settled of settles) {
      const future = this.futures[settled.index]
      if (future === undefined || settled.outcome === undefined) continue
      const timing = timingOf(settled)
      if (settled.outcome.$case === 'result') {
        future.settle({ kind: 'finished', result: settled.outcome.value, timing })
      } else {
        const failure = failureFromWire(settled.outcome.value)
        const error = errorOfFailure(future.id, future.taskName, failure, (stack, taskId, taskName) =>
          this.localize(stack, taskId, taskName),
        )
        future.settle({ kind: 'failed', error, cancelled: failure.kind === 'cancelled', timing })
      }
    }
  }

  /** The result of a task is lost and computed again. */
  reopen(index: number): void {
    this.futures[index]?.reopen()
    this.#settledBefore = Math.min(this.#settledBefore, index)
  }

  /** Nothing more can be heard of the job. */
  fail(error: Error): void {
    for (const future of this.futures) future.settle({ kind: 'failed', error, cancelled: false, timing: undefined })
  }

  localize(stack: string, taskId: string, taskName: string): string {
    return this.#backend.localize(stack, taskId, taskName)
  }

  /** Results were gathered: what that took while tasks were open was no work of the gather. */
  noteGather(beganAtMs: number): void {
    this.gatherMs = (this.gatherMs ?? 0) + performance.now() - Math.max(beganAtMs, this.#heardAtMs)
  }

  reportProgress(report: ProgressReport): void {
    for (const listener of this.#progress) listener(report)
  }

  reportLine(line: TaskLine): void {
    for (const listener of this.#lines) listener(line)
  }
}

function timingOf({ workerId, slot, attempt, startedAtMs, endedAtMs }: TaskSettled): Timing {
  return { workerId, slot, attempt, startedAtMs, endedAtMs }
}

function indexOf(objectId: string): number {
  return Number(objectId.slice(objectId.lastIndexOf('/') + 1))
}
