import { asCompleted, TaskCancelledError, type Cluster, type Job, type TaskFuture, type Timing } from 'costate'
import type { RefinedSolution } from './mesh-refinement.js'
import type { SweepProblem } from './problems.js'
import type { ProgressCounts } from '../progress/progress-line.js'
import { solve } from './tasks.js'

/** What became of one problem: a solution, or why there is none. */
export type Answer = {
  readonly problem: SweepProblem
  /** Missing for a task that never reached a worker. */
  readonly timing?: Timing
} & (
  | { readonly kind: 'finished'; readonly solution: RefinedSolution }
  | { readonly kind: 'failed' | 'cancelled'; readonly error: Error }
)

export interface Sweep {
  readonly job: Job
  /** By the clock of this machine, as the tasks' own times; epoch ms. */
  readonly submittedAtMs: number
  /** From the submit until the last result was in hand. */
  readonly durationMs: number
  readonly answers: readonly Answer[]
}

export interface SweepOptions {
  readonly seed: number
  readonly slots: number
  /** Whether it is sampled where processor time goes. */
  readonly isSampled?: boolean
  /** Called for every task that is settled, and once a second. */
  readonly onProgress: (counts: ProgressCounts) => void
}

/** Solves all problems on the cluster as one job, and brings the solutions here. A task that fails is an answer, not an error. */
export async function runSweep(
  cluster: Cluster,
  problems: readonly SweepProblem[],
  { seed, slots, isSampled = false, onProgress }: SweepOptions,
): Promise<Sweep> {
  const submittedAtMs = Date.now()
  const options = { name: 'optimal-control sweep', seed, ...(isSampled && { profile: 'cpu' as const }) }
  const futures = cluster.with(options).map(solve, problems)
  const job = futures[0]!.job
  const report = (): void => onProgress(countsOf(job, slots))
  report()
  const heartbeat = setInterval(report, 1_000)
  try {
    for await (const _settled of asCompleted(futures)) report()
    // All together: transfers from all workers overlap, and the trace has one span for it.
    const finished = futures.filter(({ status }) => status === 'finished')
    await cluster.gather(finished, { errors: 'skip' })
  } finally {
    clearInterval(heartbeat)
  }
  const answers = await Promise.all(futures.map((future, index) => readAnswer(problems[index]!, future)))
  return { job, submittedAtMs, durationMs: Date.now() - submittedAtMs, answers }
}

/** A client is not told which tasks run: as many as there are slots, while there are tasks left. */
function countsOf(job: Job, slots: number): ProgressCounts {
  const { total, finished, failed, cancelled } = job.counts()
  const settled = finished + failed + cancelled
  return { done: finished, failed: failed + cancelled, running: Math.min(total - settled, slots) }
}

async function readAnswer(problem: SweepProblem, future: TaskFuture<RefinedSolution>): Promise<Answer> {
  const { timing } = future
  const facts = { problem, ...(timing && { timing }) }
  try {
    return { ...facts, kind: 'finished', solution: await future.result() }
  } catch (thrown) {
    const error = thrown instanceof Error ? thrown : new Error(String(thrown))
    return { ...facts, kind: error instanceof TaskCancelledError ? 'cancelled' : 'failed', error }
  }
}
