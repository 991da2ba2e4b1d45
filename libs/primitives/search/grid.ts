import { searchOf, type Search, type SearchSettings } from './search.js'

/**
 * All combinations of evenly spaced values, ends included, the last parameter changing fastest: as many values of each parameter
 * as keep their product within `nSamples`, all of those that have only few.
 */
export function createGrid({ sizes, nSamples }: SearchSettings): Search {
  const levels = levelsOf(sizes, nSamples)
  let points: number[][] = [[]]
  for (const [axis, count] of levels.entries()) {
    const places = Array.from({ length: count }, (_, k) => placeOf(k, count, sizes[axis]!))
    points = points.flatMap((point) => places.map((place) => [...point, place]))
  }
  return searchOf(points.map((point) => Float64Array.from(point)))
}

function levelsOf(sizes: readonly number[], most: number): number[] {
  const at = (level: number): number[] => sizes.map((size) => Math.min(size, level))
  const product = (levels: readonly number[]): number => levels.reduce((all, count) => all * count, 1)
  let level = 1
  while (product(at(level + 1)) <= most && product(at(level + 1)) > product(at(level))) level++
  // One parameter after the other may have one value more.
  const levels = at(level)
  for (const [axis, size] of sizes.entries()) {
    const more = levels.map((count, other) => (other === axis ? Math.min(size, count + 1) : count))
    if (product(more) <= most) levels.splice(0, levels.length, ...more)
  }
  return levels
}

/** The place of a value in the unit interval: ends included where it is continuous, the middle of its cell where it is not. */
function placeOf(k: number, count: number, size: number): number {
  if (size === Infinity) return count === 1 ? 0.5 : k / (count - 1)
  const index = count === 1 ? Math.floor(size / 2) : Math.round((k * (size - 1)) / (count - 1))
  return (Math.min(index, size - 1) + 0.5) / size
}
