import { hermiteSimpson } from './collocation.js'
import { compileModel } from './model.js'
import type { OptimalControlProblem } from './problem.js'
import { solveNonlinearProgram, type IterationInfo } from './sequential-quadratic.js'
import { guessStraight, type Guess } from './trajectory.js'
import { Transcription } from './transcription.js'

export interface SolveOptions {
  /** Equal intervals of the mesh, ≥ 1. */
  readonly intervals: number
  /** `guessStraight` when left out. Fixed components are replaced by their values, the others brought inside their bounds. */
  readonly initialGuess?: Guess
  /** For infeasibility and stationarity; 1e-8 when left out. */
  readonly tolerance?: number
  /** 200 when left out. */
  readonly maxIterations?: number
  /** Called at the start of every iteration, in the solver's own turn. */
  readonly onIteration?: (info: IterationInfo) => void
  /** Looked at before every iteration; as a solve does not yield, only `onIteration` can abort it on the way. */
  readonly signal?: AbortSignal
}

/** A trajectory at `nodes` = 2 · intervals + 1 points: the ends and the middles of the intervals. */
export interface Solution {
  /**
   * - `solved`: infeasibility and stationarity are within the tolerance.
   * - `iterationLimit`: not yet; the last trajectory is given.
   * - `failed`: no solution can be reached from the guess; `message` says why.
   */
  readonly status: 'solved' | 'iterationLimit' | 'failed'
  readonly message: string
  /** The cost of the transcribed problem. */
  readonly objective: number
  /** float64[nodes], in the problem's unit of time. */
  readonly t: Float64Array
  /** float64[nodes, states], row-major. */
  readonly x: Float64Array
  /** float64[nodes, controls], row-major. */
  readonly u: Float64Array
  /** float64[nodes, states], row-major: the derivative of the optimal cost-to-go by the states; second order in the step. */
  readonly costates: Float64Array
  readonly iterations: number
  /** The largest defect, in units of the states. */
  readonly infeasibility: number
  /** The largest derivative of the Lagrangian or complementarity, over max(1, |multipliers|). */
  readonly stationarity: number
}

/**
 * Solves an optimal-control problem by direct transcription: Hermite–Simpson collocation on equal intervals (Kelly, SIAM Review 59
 * (2017) 849; Betts 2010), sequential quadratic programming with exact derivatives, interior-point subproblems (Nocedal & Wright
 * 2006). Bounds hold at the nodes. The work of an iteration grows with the number of intervals only linearly.
 * @throws RangeError naming the argument that is malformed; the signal's reason when it is aborted. That there is no solution
 * is a status, not an error.
 */
export function solveOptimalControl(problem: OptimalControlProblem, options: SolveOptions): Solution {
  const { intervals, tolerance = 1e-8, maxIterations = 200 } = options
  checkPositiveInteger('intervals', intervals)
  checkPositiveInteger('maxIterations', maxIterations)
  if (!(tolerance > 0 && tolerance < 1)) throw new RangeError(`tolerance is ${tolerance}; it must lie between 0 and 1`)
  const model = compileModel(problem)
  const transcription = new Transcription(model, hermiteSimpson, intervals)
  const { contradiction } = transcription
  const guess = options.initialGuess ?? guessStraight(problem, intervals)
  const start = interleave(guess, model.stateCount, model.controlCount, transcription.mesh.times.length)
  const found = solveNonlinearProgram(transcription, transcription.compress(start), {
    tolerance,
    // A contradiction in the statement needs no search: the guess is handed back as it is.
    maxIterations: contradiction === undefined ? maxIterations : 0,
    onIteration: options.onIteration,
    signal: options.signal,
  })
  const full = transcription.expand(found.z)
  return {
    status: contradiction === undefined ? found.status : 'failed',
    message: contradiction === undefined ? found.message : `infeasible: ${contradiction}`,
    objective: found.objective,
    t: transcription.mesh.times,
    x: takeColumns(full, model.stateCount + model.controlCount, 0, model.stateCount),
    u: takeColumns(full, model.stateCount + model.controlCount, model.stateCount, model.controlCount),
    costates: transcription.costates(found.multipliers),
    iterations: found.iteration,
    infeasibility: found.infeasibility,
    stationarity: found.stationarity,
  }
}

/** States and controls of a guess as one array float64[nodes, states + controls]. */
function interleave({ x, u }: Guess, states: number, controls: number, nodes: number): Float64Array {
  checkGuess('initialGuess.x', x, nodes * states)
  checkGuess('initialGuess.u', u, nodes * controls)
  const size = states + controls
  const full = new Float64Array(nodes * size)
  for (let node = 0; node < nodes; node++) {
    full.set(x.subarray(node * states, (node + 1) * states), node * size)
    full.set(u.subarray(node * controls, (node + 1) * controls), node * size + states)
  }
  return full
}

function takeColumns(full: Float64Array, size: number, first: number, count: number): Float64Array {
  const nodes = full.length / size
  const columns = new Float64Array(nodes * count)
  for (let node = 0; node < nodes; node++) {
    columns.set(full.subarray(node * size + first, node * size + first + count), node * count)
  }
  return columns
}

function checkPositiveInteger(name: string, value: number): void {
  if (!Number.isSafeInteger(value) || value < 1)
    throw new RangeError(`${name} is ${value}; it must be a whole number above 0`)
}

function checkGuess(name: string, values: Float64Array, length: number): void {
  if (values.length !== length) throw new RangeError(`${name} has ${values.length} values; the mesh takes ${length}`)
  const at = values.findIndex((value) => !Number.isFinite(value))
  if (at >= 0) throw new RangeError(`${name}[${at}] is ${values[at]!}; it must be a finite number`)
}
