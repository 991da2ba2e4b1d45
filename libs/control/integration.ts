/** Writes the rate of change x' at time t into `out`, float64[n]. */
export type Rates = (t: number, x: Float64Array, out: Float64Array) => void

/** A trajectory at the ends of steps. */
export interface Trajectory {
  /** float64[steps + 1]. */
  readonly t: Float64Array
  /** float64[steps + 1, n], row-major. */
  readonly x: Float64Array
}

/**
 * Equal steps of the classical Runge–Kutta method of fourth order (Kutta 1901; Hairer, Nørsett & Wanner, Solving Ordinary
 * Differential Equations I, 2nd ed. 1993, section II.1).
 * @param span from a time to another, before or after it.
 * @param start float64[n].
 * @throws RangeError naming the argument that is malformed; Error when the trajectory leaves the finite numbers.
 */
export function integrateFixed(
  rates: Rates,
  span: { readonly from: number; readonly to: number },
  start: Float64Array,
  steps: number,
): Trajectory {
  if (!Number.isSafeInteger(steps) || steps < 1) {
    throw new RangeError(`steps is ${steps}; it must be a whole number above 0`)
  }
  checkSpan(span)
  const n = start.length
  const h = (span.to - span.from) / steps
  const t = Float64Array.from({ length: steps + 1 }, (_, k) => (k === steps ? span.to : span.from + k * h))
  const x = new Float64Array((steps + 1) * n)
  x.set(start)
  const stage = createRungeKutta4(rates, n)
  for (let k = 0; k < steps; k++) {
    stage(t[k]!, x.subarray(k * n, (k + 1) * n), h, x.subarray((k + 1) * n, (k + 2) * n))
    if (!x.subarray((k + 1) * n, (k + 2) * n).every(Number.isFinite)) {
      throw new Error(`the trajectory is not finite after step ${k}, at t = ${t[k + 1]!}; take smaller steps`)
    }
  }
  return { t, x }
}

/** One step: from x at t into `out`, which may not be x. It allocates nothing. */
export function createRungeKutta4(
  rates: Rates,
  n: number,
): (t: number, x: Float64Array, h: number, out: Float64Array) => void {
  const [k1, k2, k3, k4, at] = Array.from({ length: 5 }, () => new Float64Array(n)) as [
    Float64Array,
    Float64Array,
    Float64Array,
    Float64Array,
    Float64Array,
  ]
  return (t, x, h, out) => {
    rates(t, x, k1)
    for (let i = 0; i < n; i++) at[i] = x[i]! + (h / 2) * k1[i]!
    rates(t + h / 2, at, k2)
    for (let i = 0; i < n; i++) at[i] = x[i]! + (h / 2) * k2[i]!
    rates(t + h / 2, at, k3)
    for (let i = 0; i < n; i++) at[i] = x[i]! + h * k3[i]!
    rates(t + h, at, k4)
    for (let i = 0; i < n; i++) out[i] = x[i]! + (h / 6) * (k1[i]! + 2 * k2[i]! + 2 * k3[i]! + k4[i]!)
  }
}

/** @throws RangeError when the ends are not two different finite times. */
export function checkSpan({ from, to }: { readonly from: number; readonly to: number }): void {
  if (!Number.isFinite(from) || !Number.isFinite(to) || from === to) {
    throw new RangeError(`the span is from ${from} to ${to}; give two different finite times`)
  }
}
