import { task, type TaskContext } from 'costate'
import { guessRandom, type Guess } from 'costate/control'
import { coarsen, solveRefined, type RefinedSolution } from './mesh-refinement.js'
import { publishedProblemOf, type SweepProblem } from './problems.js'

const firstIntervals = 160
const mostIntervals = 1280
/** The strictest published tolerance is 1e-6, and the next mesh moves the cost by less than the last one did. */
const costTolerance = 5e-7
/** Standard deviation of the random guesses; the solutions themselves stay within ±7. */
const guessSpread = 5

/** Solves one problem of the sweep; the published answer stays out of it. */
export const solve = task(
  import.meta,
  'solve',
  async (problem: SweepProblem, ctx): Promise<RefinedSolution> => await solveWith(problem, ctx, guessOf(problem, ctx)),
)

/** The same from the solution of a neighbour, when there is one. */
export const solveFrom = task(
  import.meta,
  'solveFrom',
  async (problem: SweepProblem, neighbour: RefinedSolution | undefined, ctx): Promise<RefinedSolution> =>
    await solveWith(problem, ctx, neighbour ? coarsen(neighbour, firstIntervals) : guessOf(problem, ctx)),
)

/** The random stream belongs to the task, not to the worker: the same guesses whatever the number of workers. */
function guessOf(problem: SweepProblem, ctx: TaskContext): Guess | undefined {
  if (problem.kind === 'brysonDenham') return undefined
  const statement = publishedProblemOf(problem).problem
  return guessRandom(statement, firstIntervals, () => ctx.rng.normal(), guessSpread)
}

async function solveWith(problem: SweepProblem, ctx: TaskContext, guess: Guess | undefined): Promise<RefinedSolution> {
  const statement = publishedProblemOf(problem).problem
  const meshes = Math.log2(mostIntervals / firstIntervals) + 1
  return await solveRefined(statement, {
    firstIntervals,
    mostIntervals,
    costTolerance,
    ...(guess && { guess }),
    signal: ctx.signal,
    onIteration: (intervals, { iteration, objective }) =>
      ctx.progress(Math.log2(intervals / firstIntervals) / meshes, {
        message: `${intervals} intervals`,
        iteration,
        cost: objective,
      }),
  })
}
