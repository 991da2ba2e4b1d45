import type { OptimalControlProblem } from './problem.js'

/** States and controls at the 2 · intervals + 1 points of a mesh: the ends and the middles of its intervals, equally apart. */
export interface Guess {
  /** float64[2 · intervals + 1, states], row-major. */
  readonly x: Float64Array
  /** float64[2 · intervals + 1, controls], row-major. */
  readonly u: Float64Array
}

/** States on straight lines between the fixed ends (constant where one end is free, 0 where both are), controls 0. */
export function guessStraight(problem: OptimalControlProblem, intervals: number): Guess {
  const { states, controls } = problem
  const points = 2 * intervals + 1
  const x = new Float64Array(points * states.length)
  states.forEach((name, i) => {
    const first = problem.initial?.[name] ?? problem.final?.[name] ?? 0
    const last = problem.final?.[name] ?? first
    for (let point = 0; point < points; point++) {
      x[point * states.length + i] = first + ((last - first) * point) / (points - 1)
    }
  })
  return { x, u: new Float64Array(points * controls.length) }
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
