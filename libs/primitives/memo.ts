import { type Argument, type Cluster, MeshError, type Task, type TaskFuture } from '#libs/client'

import { withOwnStream } from './own-stream.js'

/** How results are kept and found again by content. */
export interface MemoOptions {
  /** Of the random streams of tasks that draw numbers, 0 unless given; another seed is another computation. */
  readonly seed?: bigint | number
  /** Computes everything again, and keeps that. */
  readonly force?: boolean
}

/** Under which names results are kept: `memo/<code and seed>/<input>`. */
const prefix = 'memo'
/** How many results are loaded, or saved, at a time. */
const atOnce = 64

interface Entry {
  readonly index: number
  readonly name: string
  readonly seed: bigint
}

/**
 * The results of a task on inputs, by content: what is kept for this code, seed and input is loaded, and what is computed is
 * kept as soon as it is there, so that a study that was ended goes on where it was.
 */
export class Memo<I, R> {
  /** By the input's place. */
  readonly found: ReadonlyMap<number, R>
  readonly #cluster: Cluster
  readonly #task: ReturnType<typeof withOwnStream>
  readonly #inputs: readonly Argument<I>[]
  readonly #missing: readonly Entry[]

  /**
   * Looks for the results of these inputs.
   *
   * @throws TypeError for futures and scattered objects among the inputs: they cannot be compared with what is kept.
   */
  static async open<I, R>(
    cluster: Cluster,
    task: Task<[I], R>,
    inputs: readonly Argument<I>[],
    { seed = 0, force = false }: MemoOptions,
  ): Promise<Memo<I, R>> {
    const whole = withOwnStream({ task: task as unknown as Task<[unknown], unknown> })
    const folder = `${prefix}/${await cluster.digestOf(whole, BigInt(seed))}/`
    const entries: Entry[] = []
    for (const [index, input] of inputs.entries()) {
      const digest = await cluster.digestOf(whole, BigInt(seed), input)
      entries.push({ index, name: folder + digest, seed: BigInt(`0x${digest.slice(0, 16)}`) })
    }
    const found = new Map<number, R>()
    if (!force) {
      const kept = new Set((await cluster.checkpoints.list({ prefix: folder })).map(({ name }) => name))
      await forEach(
        entries.filter(({ name }) => kept.has(name)),
        async ({ index, name }) => {
          const loaded = await loadKept(cluster, name)
          if (loaded) found.set(index, loaded.result as R)
        },
      )
    }
    return new Memo(cluster, whole, inputs, entries, found)
  }

  private constructor(
    cluster: Cluster,
    task: ReturnType<typeof withOwnStream>,
    inputs: readonly Argument<I>[],
    entries: readonly Entry[],
    found: ReadonlyMap<number, R>,
  ) {
    this.#cluster = cluster
    this.#task = task
    this.#inputs = inputs
    this.#missing = entries.filter(({ index }) => !found.has(index))
    this.found = found
  }

  /** Submits what is missing to a cluster with the options of the study, as one job. */
  submit(cluster: Cluster): MemoRun<R> {
    const missing = this.#missing
    const futures = cluster.map(
      this.#task,
      missing.map(({ index, seed }) => ({ input: this.#inputs[index], seed })),
    ) as TaskFuture<R>[]
    const saves = new Saves(this.#cluster)
    const computed = new Map(
      missing.map(({ index, name }, k) => {
        const result = futures[k]!.result().then(async (value) => {
          await saves.keep(name, value)
          return value
        })
        // Who waits for all of them hears of it.
        result.catch(() => undefined)
        return [index, result] as const
      }),
    )
    const results = this.#inputs.map(async (_, index) => await (computed.get(index) ?? (this.found.get(index) as R)))
    for (const result of results) result.catch(() => undefined)
    return { futures, results }
  }
}

/** What was submitted, and one result per input, found or computed; those that were computed are kept when they resolve. */
export interface MemoRun<R> {
  readonly futures: readonly TaskFuture<R>[]
  readonly results: readonly Promise<R>[]
}

/** Keeps results, some at a time. One that cannot be kept is a result all the same. */
class Saves {
  readonly #cluster: Cluster
  readonly #waiting: (() => void)[] = []
  #free = atOnce
  #warned = false

  constructor(cluster: Cluster) {
    this.#cluster = cluster
  }

  async keep(name: string, result: unknown): Promise<void> {
    if (this.#free > 0) this.#free--
    else await new Promise<void>((resolve) => this.#waiting.push(resolve))
    try {
      await this.#cluster.checkpoints.save(name, { result })
    } catch (error) {
      if (!this.#warned) process.emitWarning(`a result was not kept, and will be computed again: ${String(error)}`)
      this.#warned = true
    } finally {
      const next = this.#waiting.shift()
      if (next) next()
      else this.#free++
    }
  }
}

/** What is damaged, or was deleted since, is computed again. */
async function loadKept(cluster: Cluster, name: string): Promise<{ readonly result: unknown } | undefined> {
  try {
    return (await cluster.checkpoints.load<{ readonly result: unknown }>(name))?.value
  } catch (error) {
    if (error instanceof MeshError && error.code === 'DATA_LOSS') return undefined
    throw error
  }
}

async function forEach<T>(items: readonly T[], work: (item: T) => Promise<void>): Promise<void> {
  const rest = items.values()
  await Promise.all(
    Array.from({ length: atOnce }, async () => {
      for (const item of rest) await work(item)
    }),
  )
}
