import type { ObjectId } from '#libs/domain'

import type { Report } from './messages.js'
import type { Surroundings } from './surroundings.js'

/** What a departure needs of its worker. */
interface Departing {
  readonly objects: ReadonlyMap<ObjectId, number>
  report(report: Report): void
  later(delayMs: number, act: () => void): void
  leave(): void
}

/** A worker that has finished hands over what only it holds, as the real one does, or is ended before it could; one that stays, what others cannot fetch. */
export class SimulatedDeparture {
  readonly #around: Surroundings
  readonly #worker: Departing
  #state: 'staying' | 'asking' | 'handingOver' = 'staying'

  constructor(around: Surroundings, worker: Departing) {
    this.#around = around
    this.#worker = worker
  }

  begin(): void {
    // However long that takes, and whoever does not answer.
    this.#worker.later(this.#around.world.between(5_000, 15_000), () => this.#worker.leave())
    this.#ask()
  }

  relinked(): void {
    if (this.#state === 'asking') this.#ask()
  }

  handOver(objectIds: readonly ObjectId[]): void {
    const { world, archives } = this.#around
    const departs = this.#state === 'asking'
    if (this.#state === 'handingOver') return
    if (objectIds.length === 0) return departs ? this.#worker.leave() : undefined
    if (departs) this.#state = 'handingOver'
    this.#worker.later(world.between(1, 500), () => {
      for (const objectId of objectIds) {
        const value = this.#worker.objects.get(objectId)
        if (value === undefined) continue
        const blobDigest = `${objectId}=${value}`
        // Garbage is collected, and disks fill.
        if (!world.chance(0.05)) archives.set(blobDigest, value)
        this.#worker.report({ kind: 'archived', object: { objectId, blobDigest } })
      }
      if (departs) this.#ask()
    })
  }

  #ask(): void {
    if (this.#worker.objects.size === 0) return this.#worker.leave()
    this.#state = 'asking'
    this.#worker.report({ kind: 'departing' })
  }
}
