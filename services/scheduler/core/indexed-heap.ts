/** Something that knows its place in a heap; -1 outside. */
export interface HeapItem {
  heapAt: number
}

/** A binary heap whose items can be moved when their order changes. */
export class IndexedHeap<Item extends HeapItem> {
  readonly #items: Item[] = []
  readonly #isBefore: (a: Item, b: Item) => boolean

  constructor(isBefore: (a: Item, b: Item) => boolean) {
    this.#isBefore = isBefore
  }

  get size(): number {
    return this.#items.length
  }

  first(): Item | undefined {
    return this.#items[0]
  }

  /** In no order. */
  values(): readonly Item[] {
    return this.#items
  }

  /** Adds the item, or moves it to where it belongs now. */
  place(item: Item): void {
    this.#settle(item, item.heapAt >= 0 ? item.heapAt : this.#items.length)
  }

  remove(item: Item): void {
    if (item.heapAt < 0) return
    const last = this.#items.pop() as Item
    if (last !== item) this.#settle(last, item.heapAt)
    item.heapAt = -1
  }

  #put(item: Item, at: number): void {
    this.#items[at] = item
    item.heapAt = at
  }

  /** Moves an item to where it belongs, starting at a place that is free for it. */
  #settle(item: Item, from: number): void {
    const items = this.#items
    const isBefore = this.#isBefore
    let at = from
    for (let parent = (at - 1) >> 1; at > 0 && isBefore(item, items[parent] as Item); parent = (at - 1) >> 1) {
      this.#put(items[parent] as Item, at)
      at = parent
    }
    for (let child = this.#lesserChild(at); child !== undefined; child = this.#lesserChild(at)) {
      if (!isBefore(items[child] as Item, item)) break
      this.#put(items[child] as Item, at)
      at = child
    }
    this.#put(item, at)
  }

  #lesserChild(at: number): number | undefined {
    const items = this.#items
    const left = 2 * at + 1
    if (left >= items.length) return undefined
    return left + 1 < items.length && this.#isBefore(items[left + 1] as Item, items[left] as Item) ? left + 1 : left
  }
}
