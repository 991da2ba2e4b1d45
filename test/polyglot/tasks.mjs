import { task } from 'costate'

/** Each number of a Float64Array times a factor. */
export const scale = task(import.meta, 'scale', async (numbers, factor) => numbers.map((x) => x * factor))

/** A small result of many kinds: the first numbers, how many there are, and the largest finite one. */
export const describe = task(import.meta, 'describe', async (numbers) => ({
  count: numbers.length,
  first: numbers.slice(0, 4),
  largest: numbers.reduce((best, x) => (Number.isFinite(x) && x > best ? x : best), -Infinity),
  notes: ['from JavaScript', null, true],
}))
