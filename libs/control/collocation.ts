/**
 * A collocation scheme over one interval of length h, as a table: the points in it, the defects that tie states and slopes
 * together, and the quadrature of the running cost. The last point of an interval is the first of the next.
 */
export interface CollocationScheme {
  /** Where the points lie in the interval: from 0 to 1, both included. */
  readonly offsets: readonly number[]
  /** Each is, for every state, Σⱼ state[j] xⱼ + h Σⱼ slope[j] f(xⱼ, uⱼ, tⱼ) = 0. There are offsets.length - 1. */
  readonly defects: readonly { readonly state: readonly number[]; readonly slope: readonly number[] }[]
  /** ∫ w dt ≈ h Σⱼ quadrature[j] wⱼ. */
  readonly quadrature: readonly number[]
}

/**
 * Hermite–Simpson in separated form: states and controls at both ends and in the middle, the middle state by Hermite
 * interpolation, the slope by Simpson's rule; fourth order (Betts, Practical Methods for Optimal Control, 2nd ed. 2010,
 * section 4.5; Kelly, SIAM Review 59 (2017) 849, section 4).
 */
export const hermiteSimpson: CollocationScheme = {
  offsets: [0, 1 / 2, 1],
  defects: [
    { state: [-1, 0, 1], slope: [-1 / 6, -4 / 6, -1 / 6] },
    { state: [-1 / 2, 1, -1 / 2], slope: [-1 / 8, 0, 1 / 8] },
  ],
  quadrature: [1 / 6, 4 / 6, 1 / 6],
}

/** The trapezoidal rule: states and controls at the ends of intervals; second order (Betts 2010, section 4.5; Kelly 2017, section 3). */
export const trapezoidal: CollocationScheme = {
  offsets: [0, 1],
  defects: [{ state: [-1, 1], slope: [-1 / 2, -1 / 2] }],
  quadrature: [1 / 2, 1 / 2],
}
