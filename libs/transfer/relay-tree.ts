import { chunkBytes } from './limits.js'

/**
 * How a body goes to `count` ends when each passes it on while it comes: for each of them, from which it comes, or -1 for the
 * one that has it at the beginning. With `d` children to a parent it takes `d` times as long as to one, because each link
 * carries it `d` times, and a chunk more for each step down; so large bodies go along a chain, and small ones a bushy tree.
 */
export function planRelays(byteLength: number, count: number): number[] {
  let best = 1
  for (let children = 2; children <= count; children++) {
    if (costOf(byteLength, count, children) < costOf(byteLength, count, best)) best = children
  }
  return Array.from({ length: count }, (_, index) => Math.floor(index / best) - 1)
}

/** All that it could come from, nearest first: when one dies, the next has what it had. */
export function ancestorsOf(parents: readonly number[], index: number): number[] {
  const ancestors: number[] = []
  for (let at = parents[index] ?? -1; at >= 0; at = parents[at] ?? -1) ancestors.push(at)
  return ancestors
}

/** In bytes that pass over the busiest link before the last end has all. */
function costOf(byteLength: number, count: number, children: number): number {
  const chunk = Math.min(byteLength, chunkBytes)
  return children * (byteLength + (depthOf(count, children) - 1) * chunk)
}

function depthOf(count: number, children: number): number {
  let depth = 0
  for (let at = count - 1; at >= 0; at = Math.floor(at / children) - 1) depth++
  return depth
}
