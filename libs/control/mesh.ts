import type { CollocationScheme } from './collocation.js'

/** Intervals with the points of a scheme in each; neighbours share a point. */
export interface Mesh {
  readonly scheme: CollocationScheme
  readonly intervals: number
  /** float64[intervals], their lengths. */
  readonly steps: Float64Array
  /** float64[points], from 0 to the horizon. */
  readonly times: Float64Array
  /** float64[points]: ∫ w dt ≈ Σ weights[p] w[p]. */
  readonly weights: Float64Array
}

/** @param ends float64[intervals + 1], rising from 0 to 1: where the intervals end, as parts of the horizon. */
export function createMesh(scheme: CollocationScheme, ends: Float64Array, horizon: number): Mesh {
  const stride = scheme.offsets.length - 1
  const intervals = ends.length - 1
  const steps = new Float64Array(intervals)
  const times = new Float64Array(intervals * stride + 1)
  const weights = new Float64Array(times.length)
  for (let k = 0; k < intervals; k++) {
    const width = ends[k + 1]! - ends[k]!
    const step = (steps[k] = width * horizon)
    scheme.offsets.forEach((offset, j) => {
      const point = k * stride + j
      times[point] = (ends[k]! + offset * width) * horizon
      weights[point] = weights[point]! + step * scheme.quadrature[j]!
    })
  }
  times[times.length - 1] = horizon
  return { scheme, intervals, steps, times, weights }
}

/** The ends of equal intervals. */
export function divideEqually(intervals: number): Float64Array {
  return Float64Array.from({ length: intervals + 1 }, (_, k) => k / intervals)
}
