import { problemNames } from '../problem-text.js'
import type { ProblemName, ReportTask } from '../report-data.js'

export interface ProblemGroup {
  readonly problem: ProblemName
  readonly tasks: readonly ReportTask[]
}

/** The families that have tasks, each in the order of its sweep. */
export function groupByProblem(tasks: readonly ReportTask[]): ProblemGroup[] {
  return problemNames
    .map((problem) => ({
      problem,
      tasks: tasks.filter((task) => task.problem === problem).sort((a, b) => a.index - b.index),
    }))
    .filter((group) => group.tasks.length > 0)
}

/** Neighbours that are allowed the same error, as ranges of positions: each is one stretch of the tolerance line. */
export function toleranceRuns(tasks: readonly ReportTask[]): { first: number; last: number; tolerance: number }[] {
  const runs: { first: number; last: number; tolerance: number }[] = []
  for (const [i, { relativeTolerance }] of tasks.entries()) {
    const run = runs.at(-1)
    if (run?.tolerance === relativeTolerance) run.last = i
    else runs.push({ first: i, last: i, tolerance: relativeTolerance })
  }
  return runs.filter(({ tolerance }) => tolerance > 0 && Number.isFinite(tolerance))
}
