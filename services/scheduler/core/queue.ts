/** First in, first out; taking and adding cost the same however long it is. */
export interface Queue<Item> {
  readonly length: number
  push(item: Item): void
  peek(): Item | undefined
  shift(): Item | undefined
  values(): IterableIterator<Item>
}

export function createQueue<Item>(): Queue<Item> {
  let items: Item[] = []
  let head = 0
  return {
    get length() {
      return items.length - head
    },
    push: (item) => void items.push(item),
    peek: () => items[head],
    shift: () => {
      const item = items[head]
      if (head < items.length) head++
      // Drops what was taken once it is most of the array: constant cost per item over time.
      if (head > 1_024 && head * 2 > items.length) {
        items = items.slice(head)
        head = 0
      }
      return item
    },
    values: () => items.slice(head).values(),
  }
}
