import { hermiteSimpson, trapezoidal } from './collocation.js'
import { estimateErrors, refineMesh, type Refinement } from './mesh-refinement.js'
import { divideEqually } from './mesh.js'
import { compileModel, type Model } from './model.js'
import { solveNonlinearInteriorPoint } from './nonlinear-interior-point.js'
import type { OptimalControlProblem } from './problem.js'
import { solveNonlinearProgram, type IterationInfo, type NonlinearSolution } from './sequential-quadratic.js'
import { resample, sampleGuess, type Guess, type GuessFunction } from './trajectory.js'
import { Transcription } from './transcription.js'

/** How far a solve has come, and the trajectory it is at: a guess to begin again from. */
export interface IterationState extends IterationInfo, Guess {
  readonly fractions: Float64Array
  readonly horizon: number
}

export interface SolveOptions {
  /** Intervals of the first mesh, ≥ 1; equal ones unless `mesh` is given. */
  readonly intervals: number
  /** float64[intervals + 1], rising from 0 to 1: where the intervals end, as parts of the horizon. */
  readonly mesh?: Float64Array
  /** `hermiteSimpson`, of fourth order, when left out; `trapezoidal` is of second order. */
  readonly scheme?: 'hermiteSimpson' | 'trapezoidal'
  /**
   * `sequentialQuadratic` when left out. `interiorPoint` takes more and cheaper iterations, and is the one for bang-bang and
   * singular controls, free horizons and far guesses.
   */
  readonly method?: 'sequentialQuadratic' | 'interiorPoint'
  /** Solves again on finer meshes, from the solution before, until the error of every interval is small enough. */
  readonly refinement?: Refinement
  /**
   * Straight lines when left out. Fixed components are replaced by their values, the others brought inside their bounds.
   */
  readonly initialGuess?: Guess | GuessFunction
  /** For infeasibility and stationarity; 1e-8 when left out. */
  readonly tolerance?: number
  /** On each mesh; 200 when left out. */
  readonly maxIterations?: number
  /** Called at the start of every iteration, in the solver's own turn; for progress, plots and checkpoints. */
  readonly onIterate?: (state: IterationState) => void
  /** Looked at before every iteration; as a solve does not yield, only `onIterate` can abort it on the way. */
  readonly signal?: AbortSignal
}

/** A trajectory at the points of the mesh: the ends of the intervals, and with Hermite–Simpson their middles. */
export interface Solution {
  /**
   * - `solved`: infeasibility and stationarity are within the tolerance.
   * - `iterationLimit`: not yet; the last trajectory is given.
   * - `failed`: no solution can be reached from the guess; `message` says why, and which constraint is missed by how much.
   */
  readonly status: 'solved' | 'iterationLimit' | 'failed'
  readonly message: string
  /** The cost of the transcribed problem. */
  readonly objective: number
  /** T. */
  readonly horizon: number
  /** float64[nodes], in the problem's unit of time. */
  readonly t: Float64Array
  /** float64[nodes, states], row-major. */
  readonly x: Float64Array
  /** float64[nodes, controls], row-major. */
  readonly u: Float64Array
  /** float64[nodes, states], row-major: the derivative of the optimal cost-to-go by the states; second order in the step. */
  readonly costates: Float64Array
  /** On all meshes. */
  readonly iterations: number
  /** The largest defect or miss of a constraint, in its own units. */
  readonly infeasibility: number
  /** The largest derivative of the Lagrangian or complementarity, over max(1, the size of the multipliers). */
  readonly stationarity: number
  /** How far the dynamics are missed between the points, relative to the size of the states; the worst interval. */
  readonly meshError: number
}

const FIRST_BARRIER_ON_FINER_MESH = 1e-3

/**
 * Solves an optimal-control problem by direct transcription: collocation (Kelly, SIAM Review 59 (2017) 849; Betts 2010), then
 * sequential quadratic programming (Nocedal & Wright 2006) or an interior-point method (Wächter & Biegler 2006), both with exact
 * derivatives. Bounds and path constraints hold at the nodes. The work of an iteration grows with the number of intervals only
 * linearly.
 * @throws RangeError naming the argument that is malformed; the signal's reason when it is aborted. That there is no solution
 * is a status, not an error.
 */
export function solveOptimalControl(problem: OptimalControlProblem, options: SolveOptions): Solution {
  checkOptions(options)
  const { intervals, refinement } = options
  const model = compileModel(problem)
  const scheme = options.scheme === 'trapezoidal' ? trapezoidal : hermiteSimpson
  // The cubic through the ends of an interval misses their slopes' change by one order less than the scheme does.
  const order = scheme === trapezoidal ? 3 : 4
  let ends = options.mesh ?? divideEqually(intervals)
  let transcription = new Transcription(model, scheme, ends)
  let start = startOf(problem, model, fractionsOf(transcription, model), options.initialGuess)
  const rounds = refinement === undefined ? 0 : (refinement.rounds ?? 8)
  let iterations = 0
  for (let round = 0; ; round++) {
    const found = solveOn(transcription, model, start, options, round > 0, iterations)
    iterations = found.iteration
    const full = transcription.expand(found.z)
    const errors = estimateErrors(model, transcription, full)
    const meshError = errors.reduce((worst, error) => Math.max(worst, error), 0)
    const refined = refinement && refineMesh(ends, errors, order, refinement)
    const isEnough = refined === undefined || meshError <= refinement!.tolerance || refined.length === ends.length
    if (found.status !== 'solved' || round === rounds || isEnough) {
      return report(model, transcription, found, full, meshError)
    }
    const before = fractionsOf(transcription, model)
    ends = refined
    transcription = new Transcription(model, scheme, ends)
    start = resample(full, model.stateCount + model.controlCount, before, fractionsOf(transcription, model))
  }
}

function solveOn(
  transcription: Transcription,
  model: Model,
  start: Float64Array,
  options: SolveOptions,
  isFiner: boolean,
  iterationsBefore: number,
): NonlinearSolution {
  const { tolerance = 1e-8, maxIterations = 200, onIterate, signal } = options
  const { contradiction } = transcription
  const solve = options.method === 'interiorPoint' ? solveNonlinearInteriorPoint : solveNonlinearProgram
  const found = solve(transcription, transcription.compress(start), {
    tolerance,
    // A contradiction in the statement needs no search: the guess is handed back as it is.
    maxIterations: contradiction === undefined ? maxIterations : 0,
    onIteration:
      onIterate &&
      ((info, z) => {
        const full = transcription.expand(z)
        onIterate({
          ...info,
          iteration: iterationsBefore + info.iteration,
          ...split(model, full),
          fractions: fractionsOf(transcription, model),
          horizon: horizonOf(model, full),
        })
      }),
    firstBarrier: isFiner ? FIRST_BARRIER_ON_FINER_MESH : undefined,
    signal,
  })
  const iteration = iterationsBefore + found.iteration
  if (contradiction === undefined) return { ...found, iteration }
  return { ...found, iteration, status: 'failed', message: `infeasible: ${contradiction}` }
}

function report(
  model: Model,
  transcription: Transcription,
  found: NonlinearSolution,
  full: Float64Array,
  meshError: number,
): Solution {
  const horizon = horizonOf(model, full)
  const { status, message, objective, infeasibility, stationarity } = found
  const scale = model.horizonState === undefined ? 1 : horizon
  const costates = transcription.costates(found.multipliers)
  return {
    ...{ status, message, objective, horizon },
    t: transcription.mesh.times.map((time) => time * scale),
    ...split(model, full),
    costates: takeColumns(costates, model.stateCount, 0, model.stated.states),
    ...{ iterations: found.iteration, infeasibility, stationarity, meshError },
  }
}

function fractionsOf({ mesh }: Transcription, { horizon }: Model): Float64Array {
  return mesh.times.map((time) => time / horizon)
}

function horizonOf({ horizon, horizonState }: Model, full: Float64Array): number {
  return horizonState === undefined ? horizon : full[horizonState]!
}

/** The states and controls of the statement. */
function split({ stateCount, controlCount, stated }: Model, full: Float64Array): { x: Float64Array; u: Float64Array } {
  const size = stateCount + controlCount
  return {
    x: takeColumns(full, size, 0, stated.states),
    u: takeColumns(full, size, stateCount, stated.controls),
  }
}

/** A guess as one array float64[points, s]; slacks are left to the transcription. */
function startOf(
  problem: OptimalControlProblem,
  model: Model,
  fractions: Float64Array,
  guess: Guess | GuessFunction | undefined,
): Float64Array {
  const { states, controls } = model.stated
  const told = typeof guess === 'object' ? guess : sampleGuess(problem, fractions, guess)
  const points = told.fractions ?? fractions
  checkGuess('initialGuess.x', told.x, points.length * states)
  checkGuess('initialGuess.u', told.u, points.length * controls)
  const x = told.fractions ? resample(told.x, states, points, fractions) : told.x
  const u = told.fractions ? resample(told.u, controls, points, fractions) : told.u
  const size = model.stateCount + model.controlCount
  const full = new Float64Array(fractions.length * size)
  const horizon = told.horizon ?? (typeof problem.horizon === 'number' ? problem.horizon : problem.horizon.guess)
  for (let node = 0; node < fractions.length; node++) {
    full.set(x.subarray(node * states, (node + 1) * states), node * size)
    if (model.horizonState !== undefined) full[node * size + model.horizonState] = horizon
    full.set(u.subarray(node * controls, (node + 1) * controls), node * size + model.stateCount)
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

function checkOptions({ intervals, mesh, tolerance = 1e-8, maxIterations = 200, refinement }: SolveOptions): void {
  checkPositiveInteger('intervals', intervals)
  checkPositiveInteger('maxIterations', maxIterations)
  if (!(tolerance > 0 && tolerance < 1)) throw new RangeError(`tolerance is ${tolerance}; it must lie between 0 and 1`)
  if (refinement !== undefined && !(refinement.tolerance > 0)) {
    throw new RangeError(`refinement.tolerance is ${refinement.tolerance}; it must be above 0`)
  }
  if (mesh === undefined) return
  if (mesh.length !== intervals + 1) {
    throw new RangeError(`mesh has ${mesh.length} ends; ${intervals} intervals have ${intervals + 1}`)
  }
  const isRising = mesh.every((end, k) => k === 0 || end > mesh[k - 1]!)
  if (mesh[0] !== 0 || mesh[intervals] !== 1 || !isRising) throw new RangeError('mesh must rise from 0 to 1')
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
