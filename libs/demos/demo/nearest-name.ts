/** A name that begins so, or else the one that takes the fewest changed, added and left out letters (Levenshtein 1966). */
export function nearestName(wanted: string, names: readonly string[]): string | undefined {
  const letters = wanted.toLowerCase()
  const byDistance = names.map((name) => ({ name, distance: editDistance(letters, name) }))
  byDistance.sort((a, b) => a.distance - b.distance)
  return names.find((name) => name.startsWith(letters)) ?? byDistance[0]?.name
}

function editDistance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, j) => j)
  for (let i = 1; i <= a.length; i++) {
    const next = [i]
    for (let j = 1; j <= b.length; j++) {
      const changed = row[j - 1]! + (a[i - 1] === b[j - 1] ? 0 : 1)
      next.push(Math.min(changed, row[j]! + 1, next[j - 1]! + 1))
    }
    row = next
  }
  return row[b.length]!
}
