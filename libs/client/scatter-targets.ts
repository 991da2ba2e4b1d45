import type { ScatterOptions, WorkerInfo } from './cluster.js'

/** Chooses the workers that scattered values go to: those that hold least, unless the caller names some. */
export class ScatterTargets {
  readonly #list: () => Promise<WorkerInfo[]>
  #listing: Promise<WorkerInfo[]> | undefined
  /** How many objects were sent to whom since the workers were listed. */
  #sent = new Map<string, number>()

  constructor(list: () => Promise<WorkerInfo[]>) {
    this.#list = list
  }

  /** @throws RangeError for a worker that is not there; Error when there is none. */
  async choose({ workers: wanted, broadcast }: ScatterOptions): Promise<WorkerInfo[]> {
    const present = (await this.#shareListing()).filter(({ state }) => state === 'ready' || state === 'paused')
    const unknown = wanted?.find((id) => !present.some((worker) => worker.id === id))
    if (unknown !== undefined) throw new RangeError(`scatter: there is no worker ${unknown}; see cluster.workers()`)
    const candidates = wanted ? present.filter(({ id }) => wanted.includes(id)) : present
    if (candidates.length === 0) throw new Error('scatter: the cluster has no workers; call waitForWorkers(1) first')
    if (broadcast) return candidates
    // Whose memory is nearly full comes last.
    const load = ({ id, heldObjects, state }: WorkerInfo): number =>
      heldObjects + (this.#sent.get(id) ?? 0) + (state === 'paused' ? 1e9 : 0)
    const target = candidates.reduce((best, worker) => (load(worker) < load(best) ? worker : best))
    this.#sent.set(target.id, (this.#sent.get(target.id) ?? 0) + 1)
    return [target]
  }

  /** Scatters that begin together ask once: ten thousand of them are one call, not as many. */
  #shareListing(): Promise<WorkerInfo[]> {
    if (this.#listing) return this.#listing
    const listing = this.#list()
    this.#listing = listing
    const forget = (): void => {
      this.#listing = undefined
      this.#sent = new Map()
    }
    // Those who wait for it choose first.
    listing.then(() => setImmediate(forget), forget)
    return listing
  }
}
