import { logTicks, niceTicks, type Tick } from './ticks.js'

/** Maps values to pixels along one axis. */
export interface Scale {
  readonly min: number
  readonly max: number
  readonly ticks: readonly Tick[]
  /** Pixel of a value; values outside are clamped to the ends, NaN to the lower one. */
  readonly place: (value: number) => number
  /** False for what has no place on this axis: not finite, beyond the ends, or not positive on a log axis. */
  readonly holds: (value: number) => boolean
}

/** Beyond this, differences overflow; such a value is certainly wrong and is marked as off the scale. */
const largest = 1e100
/** Below this, differences underflow: drawn as zero. */
const smallest = 1e-100

export interface ScaleOptions {
  /** Pixels of the two ends. */
  readonly from: number
  readonly to: number
  readonly ticks: number
}

/** Covers all drawable values with a small margin, or [0, 1] when there are none. */
export function linearScale(values: Iterable<number>, { from, to, ticks }: ScaleOptions, margin = 0): Scale {
  let [min, max] = rangeOf(values)
  if (min > max) [min, max] = [0, 1]
  // Closer together than labels could tell apart: drawn as one value.
  if (max - min <= Math.max(smallest, 1e-10 * Math.abs(min), 1e-10 * Math.abs(max))) {
    const half = Math.abs(min) <= smallest ? 1 : Math.abs(min) / 2
    ;[min, max] = [min - half, max + half]
  }
  const pad = (max - min) * margin
  min -= pad
  max += pad
  const place = (value: number) => from + ((clamp(value, min, max) - min) / (max - min)) * (to - from)
  return { min, max, place, ticks: niceTicks(min, max, ticks), holds: (value) => value >= min && value <= max }
}

/** Base 10, widened to whole decades; values that are not positive are left out of the range. */
export function logScale(values: Iterable<number>, { from, to, ticks }: ScaleOptions): Scale {
  const exponents = [...values].filter((value) => value > smallest && value < largest).map(Math.log10)
  let [low, high] = rangeOf(exponents)
  if (low > high) [low, high] = [0, 1]
  low = Math.floor(low - 0.05)
  high = Math.max(low + 1, Math.ceil(high + 0.05))
  const [min, max] = [10 ** low, 10 ** high]
  const place = (value: number) => from + ((Math.log10(clamp(value, min, max)) - low) / (high - low)) * (to - from)
  return { min, max, place, ticks: logTicks(min, max, ticks), holds: (value) => value >= min && value <= max }
}

export function rangeOf(values: Iterable<number>): [min: number, max: number] {
  let min = Number.POSITIVE_INFINITY
  let max = Number.NEGATIVE_INFINITY
  for (const value of values) {
    if (!(Math.abs(value) < largest)) continue
    if (value < min) min = value
    if (value > max) max = value
  }
  return [min, max]
}

/** NaN compares false and so lands at the lower end. */
function clamp(value: number, min: number, max: number): number {
  return value >= min ? Math.min(max, value) : min
}
