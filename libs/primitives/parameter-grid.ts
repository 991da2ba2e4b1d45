/** Values of one parameter: a list, or so many between two ends, both included. */
export type ParameterValues<T = unknown> = readonly T[] | Spaced

/** Numbers between two ends. */
export interface Spaced {
  readonly from: number
  readonly to: number
  /** How many, both ends included. */
  readonly count: number
  /** `linear` unless given; `log` spaces the logarithms evenly, both ends above 0. */
  readonly scale?: 'linear' | 'log'
}

/** What each parameter of a combination is. */
export type Combination<R> = {
  -readonly [K in keyof R]: R[K] extends readonly (infer T)[] ? T : number
}

/**
 * All combinations of the parameters' values. The last parameter changes fastest, as in nested loops.
 *
 *     parameterGrid({ q: [1, 10], r: { from: 0.01, to: 1, count: 3, scale: 'log' } })
 *     // [{ q: 1, r: 0.01 }, { q: 1, r: 0.1 }, { q: 1, r: 1 }, { q: 10, r: 0.01 }, …]
 *
 * @throws RangeError for a parameter without values, and for ends that make no sense; its message names the parameter.
 */
export function parameterGrid<const R extends Readonly<Record<string, ParameterValues>>>(ranges: R): Combination<R>[] {
  const names = Object.keys(ranges)
  if (names.length === 0) throw new RangeError('parameterGrid: there are no parameters: give at least one')
  let rows: Record<string, unknown>[] = [{}]
  for (const name of names) {
    const values = valuesOf(name, ranges[name]!)
    rows = rows.flatMap((row) => values.map((value) => ({ ...row, [name]: value })))
  }
  return rows as Combination<R>[]
}

function valuesOf(name: string, range: ParameterValues): readonly unknown[] {
  if (isSpaced(range)) return spaced(name, range)
  if (!Array.isArray(range)) {
    throw new TypeError(`parameterGrid: ${name} must be a list of values, or { from, to, count }`)
  }
  if (range.length === 0) throw new RangeError(`parameterGrid: ${name} has no values: give at least one`)
  return range
}

function isSpaced(range: ParameterValues): range is Spaced {
  return typeof range === 'object' && 'from' in range
}

function spaced(name: string, { from, to, count, scale = 'linear' }: Spaced): number[] {
  if (!Number.isFinite(from) || !Number.isFinite(to) || from > to) {
    throw new RangeError(`parameterGrid: ${name} goes from ${from} to ${to}; give finite numbers, the smaller first`)
  }
  if (!Number.isInteger(count) || count < 1) {
    throw new RangeError(`parameterGrid: ${name} has count ${count}; give a whole number from 1`)
  }
  if (scale === 'log' && from <= 0) {
    throw new RangeError(`parameterGrid: ${name} is spaced by logarithms from ${from}; both ends must be above 0`)
  }
  const at = (k: number): number => {
    if (k === 0) return from
    if (k === count - 1) return to
    const part = k / (count - 1)
    return scale === 'log' ? from * (to / from) ** part : from + (to - from) * part
  }
  return Array.from({ length: count }, (_, k) => at(k))
}
