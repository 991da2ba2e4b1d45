/** A message has at most 16 MiB; one that others wait behind should have much less. */
export const bytesPerMessage = 2 * 2 ** 20

/** Cuts a list into parts that fit into messages, in order: each has at most so many items and bytes, but at least one item. */
export function* partsOf<Item>(
  items: Iterable<Item>,
  bytesOf: (item: Item) => number,
  most: { readonly items: number; readonly bytes: number },
): Generator<Item[]> {
  let part: Item[] = []
  let byteLength = 0
  for (const item of items) {
    const bytes = bytesOf(item)
    if (part.length > 0 && (part.length >= most.items || byteLength + bytes > most.bytes)) {
      yield part
      part = []
      byteLength = 0
    }
    part.push(item)
    byteLength += bytes
  }
  if (part.length > 0) yield part
}
