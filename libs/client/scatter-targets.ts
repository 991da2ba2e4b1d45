import type { ScatterOptions, WorkerInfo } from './cluster.js'

/** So many scatters go on in one turn of the event loop: what they put is on its way while the next ones are taken apart. */
const scattersPerTurn = 1_024
/** So many are prepared in one: a millisecond, in which the answer may have come. */
const preparedPerTurn = 512

/** Somebody who waits to be told where to scatter to: one or the other is called, once. */
export interface WaitingScatter {
  readonly options: ScatterOptions
  /** Does what needs no target, while the workers are asked for; not always called. */
  prepare?(): void
  /** What it throws, it is refused with. */
  chosen(targets: WorkerInfo[]): void
  /** A RangeError for a worker that is not there; an Error when there is none. */
  refused(error: unknown): void
}

/** Chooses the workers that scattered values go to: those that hold least, unless the caller names some. */
export class ScatterTargets {
  readonly #list: () => Promise<WorkerInfo[]>
  #waiting: WaitingScatter[] = []
  #isListing = false

  constructor(list: () => Promise<WorkerInfo[]>) {
    this.#list = list
  }

  choose(scatter: WaitingScatter): void {
    this.#waiting.push(scatter)
    if (!this.#isListing) void this.#serve()
  }

  /** @throws RangeError for a worker that is not there; Error when there is none. */
  chosen(options: ScatterOptions): Promise<WorkerInfo[]> {
    return new Promise((chosen, refused) => this.choose({ options, chosen, refused }))
  }

  /** Scatters that begin together ask once: ten thousand of them are one call, not as many. */
  async #serve(): Promise<void> {
    this.#isListing = true
    while (this.#waiting.length > 0) {
      const listed = await this.#prepareUntil(
        this.#list().then(
          (workers) => ({ workers }),
          (error: unknown) => ({ error }),
        ),
      )
      const waiting = this.#waiting
      this.#waiting = []
      if ('error' in listed) for (const scatter of waiting) scatter.refused(listed.error)
      else await answer(waiting, listed.workers)
    }
    this.#isListing = false
  }

  /** The answer takes some milliseconds, in which this program would have nothing to do. */
  async #prepareUntil<Listed>(listing: Promise<Listed>): Promise<Listed> {
    let isListed = false
    const listed = listing.then((answer) => {
      isListed = true
      return answer
    })
    const hasCome = (): boolean => isListed
    // The question leaves first.
    await nextTurn()
    for (let next = 0; next < this.#waiting.length && !hasCome();) {
      const end = Math.min(next + preparedPerTurn, this.#waiting.length)
      for (; next < end; next++) this.#waiting[next]?.prepare?.()
      await nextTurn()
    }
    return await listed
  }
}

async function answer(waiting: readonly WaitingScatter[], workers: readonly WorkerInfo[]): Promise<void> {
  const present = workers.filter(({ state }) => state === 'ready' || state === 'paused').map(asTarget)
  let index = 0
  for (const scatter of waiting) {
    if (index > 0 && index % scattersPerTurn === 0) await nextTurn()
    index++
    try {
      scatter.chosen(chooseAmong(present, scatter.options))
    } catch (error) {
      scatter.refused(error)
    }
  }
}

/** A worker with what it holds and was sent since it was listed. Whose memory is nearly full comes last. */
interface Target {
  readonly worker: WorkerInfo
  readonly alone: WorkerInfo[]
  load: number
}

function asTarget(worker: WorkerInfo): Target {
  return { worker, alone: [worker], load: worker.heldObjects + (worker.state === 'paused' ? 1e9 : 0) }
}

function chooseAmong(present: readonly Target[], { workers: wanted, broadcast }: ScatterOptions): WorkerInfo[] {
  const unknown = wanted?.find((id) => !present.some(({ worker }) => worker.id === id))
  if (unknown !== undefined) throw new RangeError(`scatter: there is no worker ${unknown}; see cluster.workers()`)
  const candidates = wanted ? present.filter(({ worker }) => wanted.includes(worker.id)) : present
  const [first] = candidates
  if (first === undefined) throw new Error('scatter: the cluster has no workers; call waitForWorkers(1) first')
  if (broadcast) return candidates.map(({ worker }) => worker)
  let target = first
  for (const candidate of candidates) if (candidate.load < target.load) target = candidate
  target.load++
  return target.alone
}

function nextTurn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve))
}
