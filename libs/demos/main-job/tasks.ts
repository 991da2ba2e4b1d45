import { task } from 'costate'
import { guessRandom } from 'costate/control'
import { solveRefined, type RefinedSolution } from './mesh-refinement.js'
import { publishedProblemOf, type SweepProblem } from './problems.js'

const firstIntervals = 160
const mostIntervals = 1280
/** The strictest published tolerance is 1e-6, and the next mesh moves the cost by less than the last one did. */
const costTolerance = 5e-7
/** Standard deviation of the random guesses; the solutions themselves stay within ±7. */
const guessSpread = 5

/** Solves one problem of the sweep; the published answer stays out of it. */
export const solve = task(import.meta, 'solve', async (problem: SweepProblem, ctx): Promise<RefinedSolution> => {
  const statement = publishedProblemOf(problem).problem
  const meshes = Math.log2(mostIntervals / firstIntervals) + 1
  return await solveRefined(statement, {
    firstIntervals,
    mostIntervals,
    costTolerance,
    // The random stream belongs to the task, not to the worker: the same guesses whatever the number of workers.
    ...(problem.kind !== 'brysonDenham' && {
      guess: guessRandom(statement, firstIntervals, () => ctx.rng.normal(), guessSpread),
    }),
    signal: ctx.signal,
    onIteration: (intervals, { iteration, objective }) =>
      ctx.progress(Math.log2(intervals / firstIntervals) / meshes, {
        message: `${intervals} intervals`,
        iteration,
        cost: objective,
      }),
  })
})
