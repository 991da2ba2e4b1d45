import type { ProblemName, ReportTask } from './report-data.js'

/** Cold and warm solves of one family of problems. */
export interface WarmFamily {
  readonly problem: ProblemName
  readonly tasks: number
  readonly coldIterations: number
  readonly warmIterations: number
  readonly coldMs: number
  readonly warmMs: number
}

/** What it saved to begin from neighbours. Only problems that both solved count, so that a failure saves nothing. */
export interface WarmFigures {
  readonly families: readonly WarmFamily[]
  /** In both. */
  readonly solved: number
  readonly tasks: number
}

/** Compares the same problems, solved from nothing and from their neighbours. */
export function compareWarm(cold: readonly ReportTask[], warm: readonly ReportTask[]): WarmFigures {
  const families = new Map<ProblemName, WarmFamily>()
  let solved = 0
  for (const [index, task] of cold.entries()) {
    const again = warm[index]
    if (task.status !== 'finished' || again?.status !== 'finished') continue
    solved++
    const { problem } = task
    const none = { problem, tasks: 0, coldIterations: 0, warmIterations: 0, coldMs: 0, warmMs: 0 }
    const known = families.get(problem) ?? none
    families.set(problem, {
      problem,
      tasks: known.tasks + 1,
      coldIterations: known.coldIterations + task.iterations,
      warmIterations: known.warmIterations + again.iterations,
      coldMs: known.coldMs + task.endMs - task.startMs,
      warmMs: known.warmMs + again.endMs - again.startMs,
    })
  }
  return { families: [...families.values()], solved, tasks: cold.length }
}

/** All families together. */
export function sumOfFamilies({ families }: WarmFigures): Omit<WarmFamily, 'problem'> {
  const none = { tasks: 0, coldIterations: 0, warmIterations: 0, coldMs: 0, warmMs: 0 }
  return families.reduce(
    (sum, { tasks, coldIterations, warmIterations, coldMs, warmMs }) => ({
      tasks: sum.tasks + tasks,
      coldIterations: sum.coldIterations + coldIterations,
      warmIterations: sum.warmIterations + warmIterations,
      coldMs: sum.coldMs + coldMs,
      warmMs: sum.warmMs + warmMs,
    }),
    none,
  )
}
