/** First in, first out; taking and adding cost the same however long it is. Items that died meanwhile are skipped. */
export interface Queue<Item> {
  /** How many places it takes, dead items included: at most about twice as many as live ones. */
  readonly length: number
  push(item: Item): void
  peek(): Item | undefined
  shift(): Item | undefined
  /** The live items in order. */
  values(): IterableIterator<Item>
}

const fewItems = 1_024

/** `isLive` says whether an item still counts; one that does not never will again. */
export function createQueue<Item>(isLive: (item: Item) => boolean): Queue<Item> {
  return new ArrayQueue(isLive)
}

// A class, because a mesh may have as many of them as jobs.
class ArrayQueue<Item> implements Queue<Item> {
  readonly #isLive: (item: Item) => boolean
  #items: (Item | undefined)[] = []
  #head = 0
  #sweepAt = fewItems

  constructor(isLive: (item: Item) => boolean) {
    this.#isLive = isLive
  }

  get length(): number {
    return this.#items.length - this.#head
  }

  push(item: Item): void {
    if (this.#items.length >= this.#sweepAt) this.#sweep()
    this.#items.push(item)
  }

  peek(): Item | undefined {
    const items = this.#items
    for (; this.#head < items.length; this.#head++) {
      const item = items[this.#head] as Item
      if (this.#isLive(item)) return item
      // What was taken or died is not kept alive by its place.
      items[this.#head] = undefined
    }
    if (items.length > 0) this.#items = []
    this.#head = 0
    this.#sweepAt = fewItems
    return undefined
  }

  shift(): Item | undefined {
    const item = this.peek()
    if (item !== undefined) this.#items[this.#head++] = undefined
    return item
  }

  values(): IterableIterator<Item> {
    return this.#live().values()
  }

  #live(): Item[] {
    return this.#items.slice(this.#head).filter((item): item is Item => item !== undefined && this.#isLive(item))
  }

  // Costs as much as what was added since the last sweep: constant per item over time.
  #sweep(): void {
    this.#items = this.#live()
    this.#head = 0
    this.#sweepAt = Math.max(fewItems, this.#items.length * 2)
  }
}
