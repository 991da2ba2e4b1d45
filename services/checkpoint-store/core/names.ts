/** Puts a name where it belongs in a sorted list. */
export function insertName(names: string[], name: string): void {
  names.splice(firstFrom(names, name), 0, name)
}

/** Takes a name out of a sorted list. */
export function removeName(names: string[], name: string): void {
  const at = firstFrom(names, name)
  if (names[at] === name) names.splice(at, 1)
}

/** Up to `limit` names of a sorted list that start with `prefix` and come behind `after`, and whether there are more. */
export function pageOfNames(
  names: readonly string[],
  { prefix, after, limit }: { readonly prefix: string; readonly after: string; readonly limit: number },
): { page: string[]; more: boolean } {
  let at = firstFrom(names, prefix)
  if (after !== '') {
    at = Math.max(at, firstFrom(names, after))
    if (names[at] === after) at++
  }
  const page: string[] = []
  for (; names[at]?.startsWith(prefix) === true; at++) {
    if (page.length === limit) return { page, more: true }
    page.push(names[at]!)
  }
  return { page, more: false }
}

/** All names of a sorted list that start with `prefix`. */
export function namesUnder(names: readonly string[], prefix: string): string[] {
  return pageOfNames(names, { prefix, after: '', limit: Infinity }).page
}

/** Where the first name lies that is not less than this one. */
function firstFrom(names: readonly string[], name: string): number {
  let low = 0
  let high = names.length
  while (low < high) {
    const middle = (low + high) >>> 1
    if (names[middle]! < name) low = middle + 1
    else high = middle
  }
  return low
}
