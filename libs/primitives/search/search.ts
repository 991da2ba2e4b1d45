/** A point of the unit cube to evaluate. */
export interface Candidate {
  /** float64[d], within [0, 1]; what lies outside is mirrored. */
  readonly point: Float64Array
  /** How much may be spent on it, for methods that spend differently. */
  readonly resource?: number
}

/**
 * A search for the minimum of a function on the unit cube: it is asked for points and told their values, again and again. It is a
 * pure function of its settings and of what it was told: told the same again, it goes on where it was.
 */
export interface Search {
  /** The next points; none when the search has come to its end. */
  ask(): readonly Candidate[]
  /** Their values, in order; Infinity for those that failed. */
  tell(values: Float64Array): void
  /** Whether it came to its end because there is nothing more to find, for methods that notice. */
  readonly hasConverged?: boolean
}

/** What every method starts from. */
export interface SearchSettings {
  /** Parameters. */
  readonly dimension: number
  /** Values of each parameter; Infinity for one that is continuous. */
  readonly sizes: readonly number[]
  /** Evaluations, at most. */
  readonly nSamples: number
  readonly seed: bigint | number
  /** Points of a generation; each method has its usual number. */
  readonly populationSize?: number | undefined
  /** Where methods that move begin, float64[d]; the middle unless given. */
  readonly start?: Float64Array | undefined
  /** How far they look at first, as a part of each range; 0.3 unless given. */
  readonly spread?: number | undefined
}

/** A search of points that are all known from the beginning. */
export function searchOf(points: readonly Float64Array[]): Search {
  let asked = false
  return {
    ask: () => {
      if (asked) return []
      asked = true
      return points.map((point) => ({ point }))
    },
    tell: () => undefined,
  }
}

/** Indices of the values from the smallest on; equal ones in their order. */
export function ranked(values: Float64Array): number[] {
  return Array.from(values.keys()).sort((a, b) => compare(values[a]!, values[b]!) || a - b)
}

function compare(a: number, b: number): number {
  return a < b ? -1 : a > b ? 1 : 0
}
