import { type ArrayStream, chunkBytesOf, type ChunkOf, type ChunkOptions, chunksOfValue } from './array-chunks.js'
import type { Job } from './job.js'
import { MeshError } from './task-error.js'

/** How long a result that cannot be fetched may take to be given up by the scheduler: a cut link has a grace of seconds. */
const reopenWaitMs = 15_000

/** How far a task is, as its client knows. */
export type FutureStatus = 'pending' | 'finished' | 'failed' | 'cancelled'

/** When and where the attempt ran that settled a task, by its worker's clock. */
export interface Timing {
  readonly workerId: string
  readonly slot: number
  readonly attempt: number
  /** Milliseconds since the Unix epoch. */
  readonly startedAtMs: number
  readonly endedAtMs: number
}

/** What the cluster does for a future. */
export interface FutureBackend {
  readonly job: Job
  /** Whether the job was sent: of a graph that is still being built nothing can be used outside of it. */
  isSent(): boolean
  /** The value, or a promise of it when it must be brought from elsewhere; called once per settled result. */
  fetch(future: TaskFuture<unknown>): unknown
  /** The value in pieces, where it is elsewhere and too large to be here; whoever has no such is asked for all of it. */
  readonly stream?:
    ((future: TaskFuture<unknown>, ...args: Parameters<ArrayStream>) => ReturnType<ArrayStream>) | undefined
  cancel(future: TaskFuture<unknown>): Promise<void>
  release(objectIds: readonly string[]): void
  /** Waits where a task gives its slot up meanwhile; elsewhere nothing has to be done. */
  readonly pause?: (<T>(wait: Promise<T>) => Promise<T>) | undefined
}

// Inside a bundle futures are made by the worker's copy of the library, and asked for by the bundle's.
const futureBrand = Symbol.for('costate.TaskFuture')

type Settled =
  | { readonly kind: 'finished'; readonly result: unknown; readonly timing: Timing }
  | { readonly kind: 'failed'; readonly error: Error; readonly cancelled: boolean; readonly timing: Timing | undefined }

/**
 * The result of a task that may not be there yet. May be an argument of other tasks, at any depth: that makes them
 * depend on it, and the value goes from worker to worker. It is not a promise: `await future.result()`.
 */
export class TaskFuture<R> {
  static [Symbol.hasInstance](value: unknown): boolean {
    return typeof value === 'object' && value !== null && futureBrand in value
  }

  /** The task's id, which is also the id of its result. */
  readonly id: string
  readonly taskName: string
  readonly #backend: FutureBackend
  #settled: Settled | undefined
  #value: R | Promise<R> | undefined
  // What waits is made when somebody waits: a job may have a million futures, and few are asked one by one.
  #waiting: (() => void)[] | undefined
  #reopenListeners: (() => void)[] | undefined
  #released = false

  /** @internal Clusters make futures. */
  constructor(id: string, taskName: string, backend: FutureBackend) {
    this.id = id
    this.taskName = taskName
    this.#backend = backend
  }

  /** @internal */
  get [futureBrand](): true {
    return true
  }

  get job(): Job {
    return this.#backend.job
  }

  get status(): FutureStatus {
    if (this.#settled === undefined) return 'pending'
    if (this.#settled.kind === 'finished') return 'finished'
    return this.#settled.cancelled ? 'cancelled' : 'failed'
  }

  get done(): boolean {
    return this.#settled !== undefined
  }

  /** Why the task failed, when it has. */
  get error(): Error | undefined {
    return this.#settled?.kind === 'failed' ? this.#settled.error : undefined
  }

  /** Where and when the task ran, once it is settled. */
  get timing(): Timing | undefined {
    return this.#settled?.timing
  }

  /**
   * The task's result, once it is there.
   *
   * @throws TaskError when the task failed, TaskCancelledError when it was cancelled, MeshError when it was released.
   */
  async result(): Promise<R> {
    return await this.#pause(this.bring())
  }

  /**
   * A numeric array in pieces, in order, brought while they are used: it may be larger than this program's memory. Of an array with
   * a shape they are its elements, row by row. Each piece is checked on its way; the last one is given out when all of it together
   * is what the task returned.
   *
   * @throws what `result` throws; TypeError for a result that is no numeric array; MeshError UNAVAILABLE or DATA_LOSS when the rest
   * cannot be had: then begin again.
   */
  async *chunks(options: ChunkOptions = {}): AsyncGenerator<ChunkOf<R>, void> {
    const chunkBytes = chunkBytesOf(options)
    for (;;) {
      await this.settled()
      const settled = this.#settled
      if (settled === undefined) continue
      const stream =
        settled.kind === 'finished' && !this.#released ? this.#backend.stream?.(this, chunkBytes) : undefined
      if (stream === undefined) break
      let isBegun = false
      try {
        for await (const chunk of stream) {
          isBegun = true
          yield chunk as ChunkOf<R>
        }
        return
      } catch (error) {
        const isBack = !isBegun && isUnavailable(error) && (await this.#reopenedWithin(reopenWaitMs, settled))
        if (!isBack) throw error
      }
    }
    const what = `the result of task ${this.taskName} (${this.id})`
    yield* chunksOfValue(await this.result(), chunkBytes, what) as Generator<ChunkOf<R>, void>
  }

  /** @internal The same for who has seen to it that a task which waits gives its slot up. */
  async bring(): Promise<R> {
    return await this.#bring(false)
  }

  /** @internal The result for a task that was submitted before the program released it. */
  async resultForTask(): Promise<R> {
    return await this.#bring(true)
  }

  async #bring(evenReleased: boolean): Promise<R> {
    for (;;) {
      if (this.#released && !evenReleased) throw this.#releasedError()
      await this.#untilSettled()
      const settled = this.#settled
      if (settled === undefined || (this.#released && !evenReleased)) continue
      if (settled.kind === 'failed') throw settled.error
      this.#value ??= this.#backend.fetch(this) as R | Promise<R>
      try {
        return await this.#value
      } catch (error) {
        // The last holder may just have died: the scheduler will notice, and the value is computed again.
        if (this.#settled === settled && !(isUnavailable(error) && (await this.#reopenedWithin(reopenWaitMs, settled))))
          throw error
      }
    }
  }

  /**
   * @internal Calls back once, with the result or with why there is none. Of what came with its settle no promise is made: a job
   * may have a million results.
   */
  onResult(hear: (result: R) => void, fail: (error: unknown) => void): void {
    const bring = (): void => void this.#bring(false).then(hear, fail)
    if (this.#released) return bring()
    this.onSettled(() => {
      if (this.#settled?.kind !== 'finished' || this.#released) return bring()
      try {
        this.#value ??= this.#backend.fetch(this) as R | Promise<R>
      } catch (error) {
        return fail(error)
      }
      if (this.#value instanceof Promise) bring()
      else hear(this.#value)
    })
  }

  /** Whether the result was given up within the time, so that it will be settled anew. */
  async #reopenedWithin(limitMs: number, settled: Settled): Promise<boolean> {
    if (this.#settled !== settled) return true
    let timer: NodeJS.Timeout | undefined
    const over = new Promise<void>((resolve) => (timer = setTimeout(resolve, limitMs)))
    await Promise.race([over, new Promise<void>((resolve) => (this.#reopenListeners ??= []).push(resolve))])
    clearTimeout(timer)
    return this.#settled !== settled
  }

  /** Resolves when the task is settled, whichever way. */
  async settled(): Promise<void> {
    if (!this.done) await this.#pause(this.#untilSettled())
  }

  #pause<T>(wait: Promise<T>): Promise<T> {
    return this.#backend.pause?.(wait) ?? wait
  }

  async #untilSettled(): Promise<void> {
    while (this.#settled === undefined) await new Promise<void>((resolve) => this.onSettled(resolve))
  }

  /** Cancels the task, running or not. What is settled stays as it is. */
  async cancel(): Promise<void> {
    if (!this.done) await this.#backend.cancel(this)
  }

  /** Gives the result up: workers forget it once no other task needs it. Nobody can ask for it any more. */
  release(): void {
    if (this.#released) return
    this.markReleased()
    this.#backend.release([this.id])
  }

  get released(): boolean {
    return this.#released
  }

  /** @internal */
  markReleased(): void {
    this.#released = true
    this.#value = undefined
  }

  /** @internal Throws when a task of this job cannot take the future as an argument. */
  checkArgumentOf(job: Job | undefined): void {
    if (this.#released) throw this.#releasedError()
    if (this.job === job || this.#backend.isSent()) return
    const message = `task ${this.taskName} (${this.id}) belongs to a graph that is not submitted yet: use its future within the graph, or after graph() has returned`
    throw new MeshError('FAILED_PRECONDITION', 'GRAPH_NOT_SUBMITTED', message)
  }

  #releasedError(): MeshError {
    const message = `the result of task ${this.taskName} (${this.id}) was released by this program`
    return new MeshError('FAILED_PRECONDITION', 'RESULT_RELEASED', message)
  }

  /** Keeps the results of this future's job under a name, also when its handles and its client are gone. */
  async persist(name: string): Promise<void> {
    await this.job.persist(name)
  }

  /** @internal */
  get wireResult(): unknown {
    return this.#settled?.kind === 'finished' ? this.#settled.result : undefined
  }

  /** @internal Calls back once, when the task is settled. */
  onSettled(listener: () => void): void {
    if (this.done) listener()
    else (this.#waiting ??= []).push(listener)
  }

  /** @internal */
  settle(settled: Settled): void {
    if (this.#settled !== undefined) return
    this.#settled = settled
    const waiting = this.#waiting ?? []
    this.#waiting = undefined
    for (const listener of waiting) listener()
  }

  /** @internal The result is lost and computed again. */
  reopen(): void {
    if (this.#settled === undefined) return
    this.#settled = undefined
    this.#value = undefined
    const listeners = this.#reopenListeners ?? []
    this.#reopenListeners = undefined
    for (const listener of listeners) listener()
  }
}

/** A holder that finds its copy damaged gives it up: then there is none, as when it dies. */
function isUnavailable(error: unknown): boolean {
  return error instanceof MeshError && ['RESULT_UNAVAILABLE', 'RESULT_DAMAGED'].includes(error.reason)
}
