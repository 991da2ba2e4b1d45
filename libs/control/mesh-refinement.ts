import type { Model } from './model.js'
import type { Transcription } from './transcription.js'

/** How finely a mesh is made, by the error of each interval. */
export interface Refinement {
  /** How far the dynamics may be missed between the points of an interval, relative to the size of each state. */
  readonly tolerance: number
  /** Meshes after the first; 8 when left out. */
  readonly rounds?: number
  /** No mesh has more intervals than these; 2000 when left out. */
  readonly mostIntervals?: number
}

const MOST_PARTS = 4

/**
 * How far a trajectory misses the dynamics inside each interval: ∫|x' - f(x, u, t)| dt over it with x and u interpolated through
 * its points, over 1 + max |x| of each state, the largest of all states (Betts, Practical Methods for Optimal Control, 2nd ed.
 * 2010, section 4.7).
 * @param full float64[points, s], as the transcription expands it.
 * @returns float64[intervals].
 */
export function estimateErrors(model: Model, { mesh }: Transcription, full: Float64Array): Float64Array {
  const { stateCount: n, values } = model
  const s = n + model.controlCount
  const sizes = new Float64Array(n).fill(1)
  full.forEach((value, at) => {
    if (at % s < n) sizes[at % s] = Math.max(sizes[at % s]!, 1 + Math.abs(value))
  })
  const stride = mesh.scheme.offsets.length - 1
  const slopesAt = (input: ArrayLike<number>, time: number): Float64Array => {
    values.input.set(input)
    values.input[s] = time
    values.run()
    return values.output.slice(0, n)
  }
  return mesh.steps.map((step, k) => {
    const first = k * stride
    const point = (j: number): Float64Array => full.subarray((first + j) * s, (first + j + 1) * s)
    const ends = [slopesAt(point(0), mesh.times[first]!), slopesAt(point(stride), mesh.times[first + stride]!)] as const
    let worst = 0
    for (const fraction of [1 / 4, 3 / 4]) {
      const between = new Float64Array(s)
      const weights = lagrange(mesh.scheme.offsets, fraction)
      for (let i = 0; i < s; i++) between[i] = weights.reduce((sum, weight, j) => sum + weight * point(j)[i]!, 0)
      const rate = new Float64Array(n)
      for (let i = 0; i < n; i++) {
        const [x0, x1] = [point(0)[i]!, point(stride)[i]!]
        const [f0, f1] = [ends[0][i]! * step, ends[1][i]! * step]
        const [c2, c3] = [3 * (x1 - x0) - 2 * f0 - f1, 2 * (x0 - x1) + f0 + f1]
        between[i] = x0 + fraction * (f0 + fraction * (c2 + fraction * c3))
        rate[i] = (f0 + fraction * (2 * c2 + 3 * fraction * c3)) / step
      }
      const slopes = slopesAt(between, mesh.times[first]! + fraction * step)
      for (let i = 0; i < n; i++) worst = Math.max(worst, (step * Math.abs(rate[i]! - slopes[i]!)) / sizes[i]!)
    }
    return worst
  })
}

/**
 * Divides each interval into as many parts, at most four, as its error asks for.
 * @param ends float64[intervals + 1], rising from 0 to 1.
 * @param order an interval's error falls with its length to this power.
 */
export function refineMesh(
  ends: Float64Array,
  errors: Float64Array,
  order: number,
  { tolerance, mostIntervals = 2000 }: Refinement,
): Float64Array {
  const refined = [0]
  const parts = errors.map((error) => Math.min(MOST_PARTS, Math.max(1, Math.ceil((error / tolerance) ** (1 / order)))))
  let spare = mostIntervals - errors.length
  // The worst come first where not all can be divided.
  const worstFirst = Array.from(errors.keys()).sort((a, b) => errors[b]! - errors[a]! || a - b)
  for (const k of worstFirst) {
    parts[k] = Math.min(parts[k]!, 1 + Math.max(0, spare))
    spare -= parts[k] - 1
  }
  parts.forEach((count, k) => {
    for (let part = 1; part < count; part++) refined.push(ends[k]! + ((ends[k + 1]! - ends[k]!) * part) / count)
    refined.push(ends[k + 1]!)
  })
  return Float64Array.from(refined)
}

/** The weights of values at `offsets` in the polynomial through them. */
function lagrange(offsets: readonly number[], at: number): number[] {
  return offsets.map((own, j) =>
    offsets.reduce((product, other, k) => (k === j ? product : (product * (at - other)) / (own - other)), 1),
  )
}
