import { runSeed } from './run-seed.js'

/** How a seed went. */
export interface SeedEnd {
  readonly seed: number
  /** Nothing when all was well. */
  readonly failure: string | undefined
}

/** One process of `make sim`: runs every so many seeds of a range. */
const [first = 0, end = 0, stride = 1] = process.argv.slice(2).map(Number)
for (let seed = first; seed < end; seed += stride) {
  const failure = runSeed(seed)
  const ended: SeedEnd = { seed, failure }
  await new Promise<void>((resolve) => process.send?.(ended, () => resolve()))
}
process.disconnect()
