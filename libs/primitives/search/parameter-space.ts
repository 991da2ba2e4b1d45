import { columnOf, type ParameterTable } from './parameter-columns.js'

/** A range of numbers. */
export interface NumberRange {
  readonly low: number
  readonly high: number
  /** `log` searches the logarithm evenly; both ends above 0. */
  readonly scale?: 'linear' | 'log'
  /** Whole numbers from `low` to `high`, both included. */
  readonly integer?: boolean
}

/** One of several values. */
export interface Category<T = unknown> {
  readonly values: readonly T[]
}

/** Where a parameter may lie: `[low, high]`, a range with a scale or of whole numbers, or one of several values. */
export type ParameterRange = readonly [low: number, high: number] | NumberRange | Category

/** What the parameters of these ranges are. */
export type ParametersOf<R> = { -readonly [K in keyof R]: R[K] extends Category<infer T> ? T : number }

/** A parameter: how its part of the unit cube is read, and how many values it has. */
interface Axis {
  readonly name: string
  readonly size: number
  readonly read: (u: number) => unknown
}

/** Parameters as points of the unit cube, which is what searches search. */
export class ParameterSpace {
  readonly #axes: readonly Axis[]

  /** @throws RangeError or TypeError whose message names the parameter. */
  constructor(ranges: Readonly<Record<string, ParameterRange>>) {
    this.#axes = Object.entries(ranges).map(([name, range]) => axisOf(name, range))
    if (this.#axes.length === 0) throw new RangeError('parameterRanges: there are no parameters: give at least one')
  }

  get dimension(): number {
    return this.#axes.length
  }

  /** How many values each parameter has; Infinity for one that is continuous. */
  get sizes(): readonly number[] {
    return this.#axes.map(({ size }) => size)
  }

  /** The parameters of points; what lies outside the cube is mirrored into it. */
  tableOf(points: readonly Float64Array[]): ParameterTable {
    return {
      names: this.#axes.map(({ name }) => name),
      columns: this.#axes.map(({ read }, j) => columnOf(points.map((point) => read(mirror(point[j]!))))),
    }
  }
}

function axisOf(name: string, range: ParameterRange): Axis {
  if (isCategory(range)) {
    const { values } = range
    if (values.length === 0) throw new RangeError(`parameterRanges: ${name} has no values: give at least one`)
    return {
      name,
      size: values.length,
      read: (u) => values[Math.min(values.length - 1, Math.floor(u * values.length))],
    }
  }
  const { low, high, scale = 'linear', integer = false } = numberRange(name, range)
  if (!Number.isFinite(low) || !Number.isFinite(high) || low > high) {
    throw new RangeError(`parameterRanges: ${name} lies from ${low} to ${high}; give finite numbers, the smaller first`)
  }
  if (scale === 'log' && low <= 0) {
    throw new RangeError(`parameterRanges: ${name} has a logarithmic scale from ${low}; both ends must be above 0`)
  }
  if (integer && !(Number.isSafeInteger(low) && Number.isSafeInteger(high))) {
    throw new RangeError(`parameterRanges: ${name} is an integer from ${low} to ${high}; give whole numbers`)
  }
  const top = integer ? high + 1 : high
  const at = (u: number): number => (scale === 'log' ? low * (top / low) ** u : low + u * (top - low))
  const read = (u: number): number => Math.min(high, Math.max(low, integer ? Math.floor(at(u)) : at(u)))
  return { name, size: integer ? high - low + 1 : Infinity, read }
}

function numberRange(name: string, range: readonly [number, number] | NumberRange): NumberRange {
  if (!Array.isArray(range)) return range as NumberRange
  const ends = range as readonly number[]
  if (ends.length === 2 && ends.every((end) => typeof end === 'number')) return { low: ends[0]!, high: ends[1]! }
  throw new TypeError(`parameterRanges: ${name} must be [low, high], { low, high } or { values: […] }`)
}

function isCategory(range: ParameterRange): range is Category {
  return !Array.isArray(range) && Array.isArray((range as Partial<Category>).values)
}

/** Reflects a number at 0 and 1 until it lies between them. */
export function mirror(u: number): number {
  if (u >= 0 && u <= 1) return u
  const folded = Math.abs(u) % 2
  return folded > 1 ? 2 - folded : folded
}
