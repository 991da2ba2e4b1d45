import { createRng } from '#libs/domain'

/** How long each task runs: most are short, some as long as a second, about 80 ms on average. */
export function runTimesMs(tasks: number, seed: number): number[] {
  const rng = createRng(seed, 1)
  return Array.from({ length: tasks }, () => {
    const kind = rng.uniform()
    if (kind < 0.7) return rng.integer(0, 20)
    return kind < 0.95 ? rng.integer(20, 200) : rng.integer(300, 1_500)
  })
}
