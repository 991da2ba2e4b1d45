import { setImmediate } from 'node:timers/promises'
import { solveOptimalControl, type Guess, type IterationInfo, type OptimalControlProblem } from 'costate/control'

export interface RefinementOptions {
  /** Equal intervals of the first mesh; each further one has twice as many. */
  readonly firstIntervals: number
  /** No mesh has more intervals. */
  readonly mostIntervals: number
  /** How far the cost may still move from one mesh to the next, relative. */
  readonly costTolerance: number
  /** On the first mesh; a straight line between the ends unless given. */
  readonly guess?: Guess
  readonly signal?: AbortSignal
  readonly onIteration?: (intervals: number, info: IterationInfo) => void
}

/** The trajectory on the last mesh, at `nodes` = 2 · intervals + 1 points. */
export interface RefinedSolution {
  readonly objective: number
  readonly intervals: number
  /** Of all meshes together. */
  readonly iterations: number
  /** float64[nodes]. */
  readonly t: Float64Array
  /** float64[nodes, states], row-major. */
  readonly x: Float64Array
  /** float64[nodes, controls], row-major. */
  readonly u: Float64Array
}

/**
 * Solves on meshes of twice as many intervals each, from the solution before, until two in a row agree on the cost: so the answer
 * does not rest on a mesh that somebody found fine enough by looking at the published value (Betts, Practical Methods for Optimal
 * Control, 2010, section 4.7, in its plainest form). Yields between meshes, so that a signal is heard.
 * @throws Error when a mesh has no solution, or when the cost still moves on the finest one; the signal's reason when aborted.
 */
export async function solveRefined(
  problem: OptimalControlProblem,
  options: RefinementOptions,
): Promise<RefinedSolution> {
  const { firstIntervals, mostIntervals, costTolerance, signal, onIteration } = options
  let initialGuess = options.guess
  let iterations = 0
  let before = Number.NaN
  let change = Number.NaN
  for (let intervals = firstIntervals; intervals <= mostIntervals; intervals *= 2) {
    const solution = solveOptimalControl(problem, {
      intervals,
      ...(initialGuess && { initialGuess }),
      ...(signal && { signal }),
      onIterate: (info) => onIteration?.(intervals, info),
    })
    if (solution.status !== 'solved') {
      throw new Error(`${problem.name} has no solution on ${intervals} intervals: ${solution.message}`)
    }
    const { objective, t, x, u } = solution
    iterations += solution.iterations
    change = Math.abs(objective - before) / Math.abs(objective)
    if (change <= costTolerance) return { objective, intervals, iterations, t, x, u }
    before = objective
    initialGuess = {
      x: halveSteps(x, problem.states.length),
      u: halveSteps(u, problem.controls.length),
    }
    await setImmediate()
    signal?.throwIfAborted()
  }
  throw new Error(
    `the cost of ${problem.name} still moves by ${change.toExponential(1)} at ${mostIntervals} intervals, ` +
      `${costTolerance.toExponential(1)} was allowed: allow finer meshes or a larger change`,
  )
}

/** A trajectory at the points of a mesh of fewer intervals, of which its own are a multiple: float64[2 · intervals + 1, …]. */
export function coarsen({ intervals: have, t, x, u }: RefinedSolution, intervals: number): Guess {
  const stride = have / intervals
  const pick = (values: Float64Array): Float64Array => {
    const size = values.length / t.length
    return Float64Array.from({ length: (2 * intervals + 1) * size }, (_, at) => {
      const point = Math.floor(at / size)
      return values[point * stride * size + (at % size)]!
    })
  }
  return { x: pick(x), u: pick(u) }
}

/** Values at points and, new, halfway between them; float64[points, size] to float64[2 · points - 1, size]. */
export function halveSteps(values: Float64Array, size: number): Float64Array {
  const points = values.length / size
  const finer = new Float64Array((2 * points - 1) * size)
  for (let point = 0; point < points; point++) {
    for (let i = 0; i < size; i++) {
      const value = values[point * size + i]!
      finer[2 * point * size + i] = value
      if (point > 0) finer[(2 * point - 1) * size + i] = (values[(point - 1) * size + i]! + value) / 2
    }
  }
  return finer
}
