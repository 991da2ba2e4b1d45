import { TaskError } from 'costate'
import { publishedProblemOf, type SweepProblem } from './problems.js'
import type { ReportTask } from './report-data.js'
import type { Answer } from './sweep.js'

/** Holds an answer against the published one. Here, in the client: a task never sees what it should find. */
export function checkAnswer(answer: Answer, index: number, submittedAtMs: number): ReportTask {
  const { problem, timing, kind } = answer
  const { published } = publishedProblemOf(problem)
  const { objective, intervals, iterations } =
    kind === 'finished' ? answer.solution : { objective: Number.NaN, intervals: 0, iterations: 0 }
  const relativeError = Math.abs(objective - published.objective) / Math.abs(published.objective)
  return {
    index,
    problem: problem.kind,
    parameters: parametersOf(problem),
    status: kind,
    workerId: timing?.workerId ?? '',
    slot: timing?.slot ?? 0,
    startMs: (timing?.startedAtMs ?? Number.NaN) - submittedAtMs,
    endMs: (timing?.endedAtMs ?? Number.NaN) - submittedAtMs,
    objective,
    published: published.objective,
    publishedSource: published.source,
    relativeTolerance: published.relativeTolerance,
    relativeError,
    withinTolerance: relativeError <= published.relativeTolerance,
    intervals,
    iterations,
    ...(kind !== 'finished' && { failure: failureOf(answer.error) }),
  }
}

function parametersOf(problem: SweepProblem): ReportTask['parameters'] {
  if (problem.kind === 'brysonDenham') return { stateBound: problem.stateBound }
  const { horizon } = publishedProblemOf(problem).problem
  return { horizon: typeof horizon === 'number' ? horizon : horizon.guess, guess: problem.guess }
}

/** The worker's stack where there is one: like failures of many tasks then read alike and are told once. */
function failureOf(error: Error): { kind: string; message: string } {
  if (!(error instanceof TaskError)) return { kind: error.name, message: error.message }
  return { kind: error.kind, message: error.remoteStack ?? error.message }
}
