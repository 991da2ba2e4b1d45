import {
  type Cluster,
  createLocalCluster,
  type Job,
  type ScatteredObject,
  type SubmitOptions,
  type TaskFuture,
} from '#libs/client'
import { withSpan } from '#libs/telemetry'

/** How far a call is. */
export interface RunProgress {
  /** Pieces of work that are done: tasks, samples, evaluations. */
  readonly done: number
  /** Those among them that failed. */
  readonly failed: number
  readonly total: number
}

/** What every primitive takes. */
export interface RunOptions<P extends RunProgress = RunProgress> {
  /** Where it runs. Unless given, a local cluster with a worker per core, which ends with the call. */
  readonly cluster?: Cluster
  /** For people, in traces and in lists of jobs; the primitive's own name unless given. */
  readonly name?: string
  /** When it aborts, what runs is cancelled, and the call rejects with the signal's reason. */
  readonly signal?: AbortSignal
  /** Called as pieces of work are done. */
  readonly onProgress?: (progress: P) => void
}

/** How many tasks a cluster ran at the same time when it was last asked. */
const knownSlots = new WeakMap<Cluster, number>()

/** One call of a primitive: all its jobs are in one trace, and end with it. */
export class Run {
  readonly cluster: Cluster
  readonly #given: Cluster
  readonly #jobs = new Set<Job>()
  readonly #signal: AbortSignal | undefined

  /** @param given the cluster of the call; `cluster` is the same one with the call's terms. */
  constructor(given: Cluster, cluster: Cluster, signal: AbortSignal | undefined) {
    this.#given = given
    this.cluster = cluster
    this.#signal = signal
  }

  with(options: SubmitOptions): Cluster {
    return this.cluster.with(options)
  }

  /** Takes charge of what was submitted: it is cancelled when the call is, and its results are given up when the call ends. */
  keep<F extends TaskFuture<unknown>>(futures: readonly F[], onSettled?: (future: F) => void): readonly F[] {
    for (const future of futures) {
      if (!this.#jobs.has(future.job)) {
        this.#jobs.add(future.job)
        if (this.#signal?.aborted) void cancel(future.job)
      }
      if (onSettled) future.onSettled(() => onSettled(future))
    }
    return futures
  }

  /**
   * How many tasks can run at the same time, at least one: what an earlier call was told, until the answer of now is there. Who shares
   * work out begins at once, and goes on with what the function says then.
   */
  async slots(): Promise<() => number> {
    if (knownSlots.has(this.#given)) {
      // After what is submitted now: the scheduler would answer first. What is wrong with the cluster, the submitted tasks find out.
      setImmediate(() => void this.#countSlots().catch(() => undefined))
    } else await this.#countSlots()
    return () => knownSlots.get(this.#given)!
  }

  async #countSlots(): Promise<void> {
    const workers = await this.cluster.workers()
    const slots = workers.reduce((sum, worker) => sum + worker.slots, 0)
    knownSlots.set(this.#given, Math.max(1, slots))
  }

  /** Puts a value into the memory of each worker; while there are none, as they come with the work, into the checkpoint-store. */
  async broadcast<T>(value: T): Promise<ScatteredObject<T>> {
    return await this.cluster.scatter(value, (await this.#hasWorkers()) ? { broadcast: true } : { durable: true })
  }

  /** Spreads values over the memory of the workers; while there are none, into the checkpoint-store. */
  async spread<T>(values: readonly T[]): Promise<ScatteredObject<T>[]> {
    const where = (await this.#hasWorkers()) ? {} : { durable: true }
    return await Promise.all(values.map((value) => this.cluster.scatter(value, where)))
  }

  async #hasWorkers(): Promise<boolean> {
    return (await this.cluster.workers()).some(({ state }) => state === 'ready' || state === 'paused')
  }

  /** Cancels what is not done. */
  async cancel(): Promise<void> {
    await Promise.all([...this.#jobs].map(cancel))
  }

  async end(): Promise<void> {
    await this.cancel()
    for (const job of this.#jobs) job.release()
  }
}

/** Runs a primitive on its cluster, within a span of its name. */
export async function runOn<T>(
  primitive: string,
  { cluster, name = primitive, signal }: Omit<RunOptions<never>, 'onProgress'>,
  body: (run: Run) => Promise<T>,
): Promise<T> {
  signal?.throwIfAborted()
  const used = cluster ?? (await createLocalCluster())
  const run = new Run(used, used.with({ name }), signal)
  const stop = (): void => void run.cancel()
  signal?.addEventListener('abort', stop, { once: true })
  try {
    return await withSpan(name, { attributes: { 'costate.primitive': primitive } }, () => body(run))
  } catch (error) {
    signal?.throwIfAborted()
    throw error
  } finally {
    signal?.removeEventListener('abort', stop)
    await run.end()
    if (cluster === undefined) await used.close()
  }
}

/** Who cannot be reached is told nothing more; what was to be said of that, the results' own errors say. */
async function cancel(job: Job): Promise<void> {
  const { total, finished, failed, cancelled } = job.counts()
  if (finished + failed + cancelled < total) await job.cancel().catch(() => undefined)
}

/** Counts settles for `onProgress`. */
export function countSettles(
  total: number,
  onProgress: ((progress: RunProgress) => void) | undefined,
): ((future: Pick<TaskFuture<unknown>, 'status'>) => void) | undefined {
  if (onProgress === undefined) return undefined
  let done = 0
  let failed = 0
  return (future) => {
    done++
    if (future.status !== 'finished') failed++
    onProgress({ done, failed, total })
  }
}
