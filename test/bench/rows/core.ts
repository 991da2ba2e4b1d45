import { compare } from '../contest.js'
import { CoreMesh, type CoreMeshOptions } from '../core/core-mesh.js'
import type { Row, RowContext } from '../row.js'
import { atLeast, atMost } from '../target.js'

const tasks = 100_000

/** One job through the core, in microseconds per task. */
function createRun(options: CoreMeshOptions, { nowMs }: RowContext): () => number {
  const mesh = new CoreMesh(options)
  return () => {
    const startMs = nowMs()
    mesh.runJob()
    const costUs = ((nowMs() - startMs) * 1000) / options.tasks
    mesh.forgetJob()
    return costUs
  }
}

/** Submit, assign, start, settle and acknowledge in the core alone, with two workers that report many short tasks at once. */
const coreTaskLives: Row = {
  name: 'core-task-lives',
  unit: 'tasks/s',
  target: atLeast(200_000, 'tasks/s'),
  measure: async (context) => {
    const run = createRun({ workers: 2, tasks, runMs: 0.01, reportsPerTurn: 2, tasksPerReport: 256 }, context)
    const ours = async (): Promise<number> => 1e6 / run()
    return { cases: [await compare({ warmUps: 3, ours, theirs: undefined }, context)] }
  },
}

/** What a task costs the core among 10,000 workers, in what it costs among 10: the same reports, ten of one task a turn. */
const core10kWorkers: Row = {
  name: 'core-10k-workers',
  unit: '× 10 workers',
  target: atMost(2.5, ''),
  measure: async (context) => {
    const measure = async (name: string, runMs: number) => {
      context.say(name)
      const among = (workers: number): (() => number) =>
        createRun({ workers, tasks, runMs, reportsPerTurn: 10, tasksPerReport: 1 }, context)
      const many = among(10_000)
      const few = among(10)
      const ours = async (): Promise<number> => many() / few()
      return { name, ...(await compare({ warmUps: 1, ours, theirs: undefined }, context)) }
    }
    return { cases: [await measure('tasks of 1 ms', 1), await measure('tasks of 100 ms', 100)] }
  },
}

export const coreRows: readonly Row[] = [coreTaskLives, core10kWorkers]
