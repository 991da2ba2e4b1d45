/** Which variables have bounds, and the logarithmic barrier before them. */
export class Barrier {
  /** Bounds moved outwards a little, so that there is room between them and what equations pin to them. */
  readonly lower: Float64Array
  readonly upper: Float64Array
  readonly count: number

  constructor(lower: Float64Array, upper: Float64Array) {
    this.lower = lower.map((bound) => bound - RELAXATION * Math.max(1, Math.abs(bound)))
    this.upper = upper.map((bound) => bound + RELAXATION * Math.max(1, Math.abs(bound)))
    this.count = [...lower, ...upper].filter((bound) => Number.isFinite(bound)).length
  }

  /** Moves a point inside, a share of the room away from each bound (Wächter & Biegler 2006, section 3.6). */
  pushInside(z: Float64Array, distance: number): void {
    for (let i = 0; i < z.length; i++) {
      const low = this.lower[i]!
      const high = this.upper[i]!
      const room = high - low
      const fromLow = Math.min(distance * Math.max(1, Math.abs(low)), distance * room)
      const fromHigh = Math.min(distance * Math.max(1, Math.abs(high)), distance * room)
      if (low > -Infinity) z[i] = Math.max(z[i]!, low + fromLow)
      if (high < Infinity) z[i] = Math.min(z[i]!, high - fromHigh)
    }
  }

  /** -Σ log of the room to each bound. */
  logarithms(z: Float64Array): number {
    let sum = 0
    for (let i = 0; i < z.length; i++) {
      if (this.lower[i]! > -Infinity) sum -= Math.log(z[i]! - this.lower[i]!)
      if (this.upper[i]! < Infinity) sum -= Math.log(this.upper[i]! - z[i]!)
    }
    return sum
  }

  /** The largest part of a step, up to 1, that leaves each variable 1 - `share` of its room. */
  stepLength(z: Float64Array, step: Float64Array, share: number): number {
    let length = 1
    for (let i = 0; i < z.length; i++) {
      const move = step[i]!
      if (move < 0 && this.lower[i]! > -Infinity) length = Math.min(length, (-share * (z[i]! - this.lower[i]!)) / move)
      if (move > 0 && this.upper[i]! < Infinity) length = Math.min(length, (share * (this.upper[i]! - z[i]!)) / move)
    }
    return length
  }
}

const RELAXATION = 1e-9

/** Multipliers of the bounds, 0 where there is none. */
export interface BoundMultipliers {
  readonly lower: Float64Array
  readonly upper: Float64Array
}

/** Those of the barrier problem itself: μ over the room. */
export function centralMultipliers(barrier: Barrier, z: Float64Array, mu: number, most: number): BoundMultipliers {
  return {
    lower: z.map((value, i) => (barrier.lower[i]! > -Infinity ? Math.min(most, mu / (value - barrier.lower[i]!)) : 0)),
    upper: z.map((value, i) => (barrier.upper[i]! < Infinity ? Math.min(most, mu / (barrier.upper[i]! - value)) : 0)),
  }
}

/** The Newton steps of the bounds' multipliers that go with the step of the variables. */
export function multiplierSteps(
  barrier: Barrier,
  z: Float64Array,
  { lower, upper }: BoundMultipliers,
  step: Float64Array,
  mu: number,
): BoundMultipliers {
  return {
    lower: lower.map((value, i) => {
      const room = z[i]! - barrier.lower[i]!
      return barrier.lower[i]! > -Infinity ? (mu - value * step[i]!) / room - value : 0
    }),
    upper: upper.map((value, i) => {
      const room = barrier.upper[i]! - z[i]!
      return barrier.upper[i]! < Infinity ? (mu + value * step[i]!) / room - value : 0
    }),
  }
}

/** Moves the multipliers, and keeps them within a factor of the central ones (Wächter & Biegler 2006, eq. 16). */
export function moveMultipliers(
  barrier: Barrier,
  z: Float64Array,
  multipliers: BoundMultipliers,
  steps: BoundMultipliers,
  share: number,
  mu: number,
): void {
  let length = 1
  for (const side of ['lower', 'upper'] as const) {
    multipliers[side].forEach((value, i) => {
      const move = steps[side][i]!
      if (move < 0) length = Math.min(length, (-share * value) / move)
    })
  }
  for (const side of ['lower', 'upper'] as const) {
    const values = multipliers[side]
    for (let i = 0; i < values.length; i++) {
      const bound = barrier[side][i]!
      if (!Number.isFinite(bound)) continue
      const centre = mu / Math.abs(z[i]! - bound)
      values[i] = Math.min(Math.max(values[i]! + length * steps[side][i]!, centre / SPREAD), centre * SPREAD)
    }
  }
}

const SPREAD = 1e10
