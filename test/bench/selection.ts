import { usualRepeats } from './contest.js'

/** The command line is not one that can be run. */
export class UsageError extends Error {
  override readonly name = 'UsageError'
}

/**
 * The rows that were asked for, in the table's order; all of them when none is named. A word may hold several names.
 *
 * @throws UsageError that lists the rows when a name is unknown.
 */
export function selectRows<R extends { readonly name: string }>(
  rows: readonly R[],
  words: readonly string[],
): readonly R[] {
  const asked = words.flatMap((word) => word.split(/[\s,]+/)).filter((name) => name !== '')
  const unknown = asked.filter((name) => !rows.some((row) => row.name === name))
  if (unknown.length > 0) {
    const known = rows.map(({ name }) => `  ${name}`).join('\n')
    throw new UsageError(`unknown ${unknown.length > 1 ? 'rows' : 'row'} ${unknown.join(', ')}: the rows are\n${known}`)
  }
  return asked.length === 0 ? rows : rows.filter(({ name }) => asked.includes(name))
}

/**
 * How often each side is counted, from the environment variable REPEATS; undefined when it is not set.
 *
 * @throws UsageError when it is no whole number from 1 to 100.
 */
export function readRepeats(text: string | undefined): number | undefined {
  if (text === undefined || text === '') return undefined
  const repeats = Number(text)
  if (Number.isInteger(repeats) && repeats >= 1 && repeats <= 100) return repeats
  throw new UsageError(`REPEATS is '${text}': give a whole number from 1 to 100`)
}

/** What a reader must know of figures that few runs stand for; nothing where there were as many as usual. */
export function warnOfFewRepeats(repeats: number | undefined): string | undefined {
  if (repeats === undefined || repeats >= usualRepeats) return undefined
  const runs = repeats === 1 ? 'a single run' : `only ${repeats} runs`
  return `REPEATS=${repeats}: each figure is the median of ${runs} instead of ${usualRepeats}; compare it with nothing.`
}
