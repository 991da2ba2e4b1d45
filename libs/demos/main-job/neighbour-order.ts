/**
 * Splits a list, ordered by a parameter, into waves: of the first wave one, of each further wave about as many as all before it
 * together, each half-way between two that were there before. So whoever comes has neighbours on both sides, and most of the list
 * comes in the last waves, where it is solved in parallel.
 * @returns places in the list, each once, by wave.
 */
export function orderByNeighbours(count: number): number[][] {
  if (count <= 0) return []
  const waves = count === 1 ? [[0]] : [[0], [count - 1]]
  for (let gaps: (readonly [number, number])[] = [[0, count - 1]]; gaps.length > 0;) {
    const wave: number[] = []
    const next: (readonly [number, number])[] = []
    for (const [from, to] of gaps) {
      if (to - from < 2) continue
      const middle = Math.floor((from + to) / 2)
      wave.push(middle)
      next.push([from, middle], [middle, to])
    }
    if (wave.length > 0) waves.push(wave)
    gaps = next
  }
  return waves
}
