import { batchBytes, maxBatchObjects } from './limits.js'

interface Waiting<Item, Answer> {
  readonly item: Item
  readonly resolve: (answer: Answer) => void
  readonly reject: (error: unknown) => void
}

interface Batch<Item, Answer> {
  readonly waiting: Waiting<Item, Answer>[]
  byteLength: number
}

/** How items are moved. */
export interface Movers<Item, Answer> {
  /** Moves several; items that it leaves out or fails with are moved one by one, so that each hears of its own end. */
  readonly together: (items: readonly Item[]) => Promise<readonly (Answer | undefined)[]>
  readonly alone: (item: Item) => Promise<Answer>
}

/** Collects the items that are added with the same key in one turn of the event loop, and moves them in batches. */
export class Batcher<Item extends { readonly byteLength: number }, Answer extends object> {
  readonly #open = new Map<string, Batch<Item, Answer>>()
  readonly #movers: Movers<Item, Answer>

  constructor(movers: Movers<Item, Answer>) {
    this.#movers = movers
  }

  /** Moves the item. Full batches leave at once, the others when the loop has come round. */
  add(key: string, item: Item): Promise<Answer> {
    return new Promise((resolve, reject) => {
      const batch = this.#batchFor(key, item.byteLength)
      batch.waiting.push({ item, resolve, reject })
      batch.byteLength += item.byteLength
    })
  }

  #batchFor(key: string, byteLength: number): Batch<Item, Answer> {
    const open = this.#open.get(key)
    if (open && open.byteLength + byteLength <= batchBytes && open.waiting.length < maxBatchObjects) return open
    if (open) this.#close(key, open)
    const batch = { waiting: [], byteLength: 0 }
    this.#open.set(key, batch)
    setImmediate(() => this.#close(key, batch))
    return batch
  }

  #close(key: string, batch: Batch<Item, Answer>): void {
    if (this.#open.get(key) !== batch) return
    this.#open.delete(key)
    void this.#move(batch.waiting)
  }

  async #move(waiting: readonly Waiting<Item, Answer>[]): Promise<void> {
    const { together, alone } = this.#movers
    const several = waiting.length > 1
    const answers = several ? await together(waiting.map(({ item }) => item)).catch(() => undefined) : undefined
    for (let index = 0; index < waiting.length; index++) {
      const { item, resolve, reject } = waiting[index] as Waiting<Item, Answer>
      const answer = answers?.[index]
      if (answer) resolve(answer)
      else alone(item).then(resolve, reject)
    }
  }
}
