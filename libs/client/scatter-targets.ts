import type { ScatterOptions, WorkerInfo } from './cluster.js'

/** So many scatters go on in one turn of the event loop: what they put is on its way while the next ones are taken apart. */
const scattersPerTurn = 1_024

interface Waiting {
  readonly options: ScatterOptions
  readonly resolve: (targets: WorkerInfo[]) => void
  readonly reject: (error: unknown) => void
}

/** Chooses the workers that scattered values go to: those that hold least, unless the caller names some. */
export class ScatterTargets {
  readonly #list: () => Promise<WorkerInfo[]>
  #waiting: Waiting[] = []
  #isListing = false

  constructor(list: () => Promise<WorkerInfo[]>) {
    this.#list = list
  }

  /** @throws RangeError for a worker that is not there; Error when there is none. */
  choose(options: ScatterOptions): Promise<WorkerInfo[]> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ options, resolve, reject })
      if (!this.#isListing) void this.#serve()
    })
  }

  /** Scatters that begin together ask once: ten thousand of them are one call, not as many. */
  async #serve(): Promise<void> {
    this.#isListing = true
    while (this.#waiting.length > 0) {
      const listed = await this.#list().then(
        (workers) => ({ workers }),
        (error: unknown) => ({ error }),
      )
      const waiting = this.#waiting
      this.#waiting = []
      if ('error' in listed) for (const { reject } of waiting) reject(listed.error)
      else await answer(waiting, listed.workers)
    }
    this.#isListing = false
  }
}

async function answer(waiting: readonly Waiting[], workers: readonly WorkerInfo[]): Promise<void> {
  const present = workers.filter(({ state }) => state === 'ready' || state === 'paused')
  // How many objects were sent to whom since the workers were listed.
  const sent = new Map<string, number>()
  for (const [index, { options, resolve, reject }] of waiting.entries()) {
    if (index > 0 && index % scattersPerTurn === 0) await new Promise((next) => setImmediate(next))
    try {
      resolve(chooseAmong(present, options, sent))
    } catch (error) {
      reject(error)
    }
  }
}

function chooseAmong(
  present: readonly WorkerInfo[],
  { workers: wanted, broadcast }: ScatterOptions,
  sent: Map<string, number>,
): WorkerInfo[] {
  const unknown = wanted?.find((id) => !present.some((worker) => worker.id === id))
  if (unknown !== undefined) throw new RangeError(`scatter: there is no worker ${unknown}; see cluster.workers()`)
  const candidates = wanted ? present.filter(({ id }) => wanted.includes(id)) : present
  if (candidates.length === 0) throw new Error('scatter: the cluster has no workers; call waitForWorkers(1) first')
  if (broadcast) return [...candidates]
  // Whose memory is nearly full comes last.
  const load = ({ id, heldObjects, state }: WorkerInfo): number =>
    heldObjects + (sent.get(id) ?? 0) + (state === 'paused' ? 1e9 : 0)
  const target = candidates.reduce((best, worker) => (load(worker) < load(best) ? worker : best))
  sent.set(target.id, (sent.get(target.id) ?? 0) + 1)
  return [target]
}
