import { batchBytes, maxBatchObjects } from './limits.js'

/** Something to move, and who hears of its end: one or the other is called, once. */
export interface Movable<Answer> {
  readonly byteLength: number
  moved(answer: Answer): void
  failed(error: unknown): void
}

interface Batch<Item> {
  readonly items: Item[]
  byteLength: number
}

/** How items are moved. */
export interface Movers<Item, Answer> {
  /** Moves several; items that it leaves out or fails with are moved one by one, so that each hears of its own end. */
  readonly together: (items: readonly Item[]) => Promise<readonly (Answer | undefined)[]>
  readonly alone: (item: Item) => Promise<Answer>
}

/** Collects the items that are added with the same key in one turn of the event loop, and moves them in batches. */
export class Batcher<Item extends Movable<Answer>, Answer extends object> {
  readonly #open = new Map<string, Batch<Item>>()
  readonly #movers: Movers<Item, Answer>

  constructor(movers: Movers<Item, Answer>) {
    this.#movers = movers
  }

  /** Moves the item. Full batches leave at once, the others when the loop has come round. */
  add(key: string, item: Item): void {
    const batch = this.#batchFor(key, item.byteLength)
    batch.items.push(item)
    batch.byteLength += item.byteLength
  }

  /** Moves the item alone. */
  addAlone(item: Item): void {
    this.#movers.alone(item).then(
      (answer) => item.moved(answer),
      (error: unknown) => item.failed(error),
    )
  }

  #batchFor(key: string, byteLength: number): Batch<Item> {
    const open = this.#open.get(key)
    if (open && open.byteLength + byteLength <= batchBytes && open.items.length < maxBatchObjects) return open
    if (open) this.#close(key, open)
    const batch = { items: [], byteLength: 0 }
    this.#open.set(key, batch)
    setImmediate(() => this.#close(key, batch))
    return batch
  }

  #close(key: string, batch: Batch<Item>): void {
    if (this.#open.get(key) !== batch) return
    this.#open.delete(key)
    void this.#move(batch.items)
  }

  async #move(items: readonly Item[]): Promise<void> {
    const { together } = this.#movers
    const answers = items.length > 1 ? await together(items).catch(() => undefined) : undefined
    for (let index = 0; index < items.length; index++) {
      const item = items[index] as Item
      const answer = answers?.[index]
      if (answer) item.moved(answer)
      else this.addAlone(item)
    }
  }
}
