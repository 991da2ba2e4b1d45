import type { OptimalControlProblem } from './problem.js'

/** States and controls at points along the horizon. */
export interface Guess {
  /** float64[points, states], row-major. */
  readonly x: Float64Array
  /** float64[points, controls], row-major. */
  readonly u: Float64Array
  /** float64[points], rising from 0 to 1: where the points are, as parts of the horizon. Those of the mesh when left out. */
  readonly fractions?: Float64Array | undefined
  /** Where a free horizon begins; the statement's own guess when left out. */
  readonly horizon?: number | undefined
}

/** A guess as a function of the part of the horizon that has passed, from 0 to 1; what it leaves out is as in `guessStraight`. */
export type GuessFunction = (fraction: number) => {
  readonly x?: Readonly<Record<string, number>>
  readonly u?: Readonly<Record<string, number>>
}

/**
 * States on straight lines between the fixed ends (constant where one end is free, 0 where both are), controls 0, at
 * 2 · intervals + 1 equally distant points: the ends and middles of equal intervals.
 */
export function guessStraight(problem: OptimalControlProblem, intervals: number): Guess {
  const points = 2 * intervals + 1
  return sampleGuess(
    problem,
    Float64Array.from({ length: points }, (_, point) => point / (points - 1)),
  )
}

/** @param fractions float64[points], from 0 to 1. */
export function sampleGuess(problem: OptimalControlProblem, fractions: Float64Array, guess?: GuessFunction): Guess {
  const { states, controls } = problem
  const x = new Float64Array(fractions.length * states.length)
  const u = new Float64Array(fractions.length * controls.length)
  fractions.forEach((fraction, point) => {
    const told = guess?.(fraction)
    states.forEach((name, i) => {
      const first = problem.initial?.[name] ?? problem.final?.[name] ?? 0
      const last = problem.final?.[name] ?? first
      x[point * states.length + i] = told?.x?.[name] ?? first + (last - first) * fraction
    })
    controls.forEach((name, i) => (u[point * controls.length + i] = told?.u?.[name] ?? 0))
  })
  return { x, u, fractions }
}

/**
 * Values at some points as values at others, on straight lines.
 * @param values float64[points.length, size], row-major.
 * @param points, wanted rising; `wanted` within the ends of `points`.
 * @returns float64[wanted.length, size], row-major.
 */
export function resample(values: Float64Array, size: number, points: Float64Array, wanted: Float64Array): Float64Array {
  const out = new Float64Array(wanted.length * size)
  let at = 0
  wanted.forEach((place, k) => {
    while (at < points.length - 2 && points[at + 1]! <= place) at++
    const share = Math.min(1, Math.max(0, (place - points[at]!) / (points[at + 1]! - points[at]!)))
    for (let i = 0; i < size; i++) {
      const before = values[at * size + i]!
      const after = values[(at + 1) * size + i]!
      out[k * size + i] = share === 0 ? before : share === 1 ? after : before + share * (after - before)
    }
  })
  return out
}

/**
 * The straight guess with noise on every component of every point, for multi-start.
 * @param draw standard normal numbers, such as a seeded generator's.
 * @param size the noise's standard deviation, in the units of each component.
 */
export function guessRandom(
  problem: OptimalControlProblem,
  intervals: number,
  draw: () => number,
  size: number,
): Guess {
  const { x, u } = guessStraight(problem, intervals)
  return { x: x.map((value) => value + size * draw()), u: u.map((value) => value + size * draw()) }
}
