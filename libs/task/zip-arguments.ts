/** The arguments of each call of a map: the first of each list, the second of each, … */
export function zipArguments(lists: readonly Iterable<unknown>[]): unknown[][] {
  const columns = lists.map((list) => [...list])
  const lengths = new Set(columns.map(({ length }) => length))
  if (lengths.size > 1) {
    throw new RangeError(
      `map: the lists of arguments have different lengths: ${columns.map(({ length }) => length).join(', ')}`,
    )
  }
  return Array.from({ length: columns[0]?.length ?? 0 }, (_, i) => columns.map((column) => column[i]))
}
