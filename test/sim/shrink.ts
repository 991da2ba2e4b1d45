import type { Script } from './script.js'

/**
 * A smaller script that fails as well: leaves out steps, many at once and then fewer, and workers, as long as that fails.
 * Tries at most so many scripts.
 */
export function shrink(script: Script, fails: (script: Script) => boolean, mostTries: number): Script {
  let tries = 0
  const stillFails = (smaller: Script): boolean => tries++ < mostTries && fails(smaller)
  let best = script
  for (let size = Math.ceil(script.steps.length / 2); size >= 1; size = size === 1 ? 0 : Math.ceil(size / 2)) {
    for (let at = 0; at < best.steps.length && tries < mostTries;) {
      const smaller = { ...best, steps: best.steps.filter((_, index) => index < at || index >= at + size) }
      if (stillFails(smaller)) best = smaller
      else at += size
    }
  }
  while (best.workers > 1) {
    const smaller = { ...best, workers: best.workers - 1 }
    if (!stillFails(smaller)) break
    best = smaller
  }
  return best
}
