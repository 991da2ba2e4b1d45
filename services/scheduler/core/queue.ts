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
  let items: (Item | undefined)[] = []
  let head = 0
  let sweepAt = fewItems

  const live = (): Item[] => items.slice(head).filter((item): item is Item => item !== undefined && isLive(item))
  // Costs as much as what was added since the last sweep: constant per item over time.
  const sweep = (): void => {
    items = live()
    head = 0
    sweepAt = Math.max(fewItems, items.length * 2)
  }
  const peek = (): Item | undefined => {
    for (; head < items.length; head++) {
      const item = items[head] as Item
      if (isLive(item)) return item
      // What was taken or died is not kept alive by its place.
      items[head] = undefined
    }
    items = []
    head = 0
    sweepAt = fewItems
    return undefined
  }
  return {
    get length() {
      return items.length - head
    },
    push: (item) => {
      if (items.length >= sweepAt) sweep()
      items.push(item)
    },
    peek,
    shift: () => {
      const item = peek()
      if (item !== undefined) items[head++] = undefined
      return item
    },
    values: () => live().values(),
  }
}
