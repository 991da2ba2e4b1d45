import { pickEvenly } from './figures/trajectory-series.js'
import { publishedProblemOf } from './problems.js'
import type { ReportTrajectory } from './report-data.js'
import type { Answer } from './sweep.js'

const tightBoundsShown = 4
/** Up to 1/4 the bound is touched, but from here on the trajectories can hardly be told from the free one. */
const tightBound = 1 / 5
/** About as many as a panel has pixels. */
const mostPoints = 400

type FinishedAnswer = Extract<Answer, { kind: 'finished' }>

/**
 * What the report draws: Bryson–Denham for a handful of bounds, and every nonlinear problem once, because all of its guesses
 * lead to the same trajectory. Loose bounds nearly do: the loosest is drawn.
 */
export function chooseTrajectories(answers: readonly Answer[]): ReportTrajectory[] {
  const tight: ReportTrajectory[] = []
  const others = new Map<string, ReportTrajectory>()
  for (const [index, answer] of answers.entries()) {
    if (answer.kind !== 'finished') continue
    const { problem } = answer
    const trajectory = drawable(index, answer)
    if (problem.kind !== 'brysonDenham') others.set(trajectory.label, others.get(trajectory.label) ?? trajectory)
    else if (problem.stateBound <= tightBound) tight.push(trajectory)
    else others.set('loose bound', trajectory)
  }
  return [...pickEvenly(tight, tightBoundsShown), ...others.values()]
}

function drawable(taskIndex: number, { problem, solution }: FinishedAnswer): ReportTrajectory {
  const { name, states, controls } = publishedProblemOf(problem).problem
  const [stateSize, controlSize] = [states.length, controls.length]
  const every = Math.ceil((solution.t.length - 1) / mostPoints)
  return {
    problem: problem.kind,
    label: name,
    taskIndex,
    t: thin(solution.t, 1, every),
    x: thin(solution.x, stateSize, every),
    u: thin(solution.u, controlSize, every),
    stateSize,
    controlSize,
  }
}

/** Every so many rows, the last one included. */
function thin(rowMajor: Float64Array, size: number, every: number): Float64Array {
  const rows = rowMajor.length / size
  const kept: number[] = []
  for (let row = 0; row < rows - 1; row += every) kept.push(row)
  kept.push(rows - 1)
  return Float64Array.from(kept.flatMap((row) => [...rowMajor.subarray(row * size, (row + 1) * size)]))
}
