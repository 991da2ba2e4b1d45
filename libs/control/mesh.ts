import type { CollocationScheme } from './collocation.js'

/** Equal intervals with the points of a scheme in each; neighbours share a point. */
export interface Mesh {
  readonly scheme: CollocationScheme
  readonly intervals: number
  /** Length of an interval. */
  readonly step: number
  /** float64[points], from 0 to the horizon. */
  readonly times: Float64Array
  /** float64[points]: ∫ w dt ≈ Σ weights[p] w[p]. */
  readonly weights: Float64Array
}

export function createMesh(scheme: CollocationScheme, intervals: number, horizon: number): Mesh {
  const stride = scheme.offsets.length - 1
  const step = horizon / intervals
  const times = new Float64Array(intervals * stride + 1)
  const weights = new Float64Array(times.length)
  for (let k = 0; k < intervals; k++) {
    scheme.offsets.forEach((offset, j) => {
      const point = k * stride + j
      times[point] = ((k + offset) / intervals) * horizon
      weights[point] = weights[point]! + step * scheme.quadrature[j]!
    })
  }
  return { scheme, intervals, step, times, weights }
}
