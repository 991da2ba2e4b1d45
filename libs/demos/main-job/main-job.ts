import path from 'node:path'
import { createLocalCluster, type Cluster, type JobProfile, type WorkerInfo } from 'costate'
import { checkAnswer } from './checked-answer.js'
import type { MainJobFlags } from './flags.js'
import { formatPlural } from '../report/format.js'
import { describeMachine, readVersions } from '../report/machine.js'
import { listProblems } from './problems.js'
import { createProgress } from '../progress/progress.js'
import type { ProgressCounts } from '../progress/progress-line.js'
import type { ReportData } from './report-data.js'
import { createRunFolder, traceCommandOf, writeRun, type RunFolder } from './run-folder.js'
import { chooseTrajectories } from './shown-trajectories.js'
import { renderSummary } from './summary.js'
import { runSweep, type Sweep } from './sweep.js'
import { listTraceFiles, readPhases } from './trace-phases.js'
import { judgeRun } from './verdict.js'
import { runWarmSweep, type WarmSweep } from './warm-sweep.js'

const signals = ['SIGINT', 'SIGTERM'] as const

/**
 * The main job: a local mesh, a sweep on all its slots, every answer checked, a report.
 * @returns `right` when every answer is there and right, `wrong` when not, `interrupted` when a signal ended it: then the
 * cluster, which heeds signals, is about to end the process.
 */
export async function runMainJob(flags: MainJobFlags): Promise<'right' | 'wrong' | 'interrupted'> {
  const startedAt = new Date()
  const problems = listProblems(flags.problems)
  const folder = await createRunFolder(startedAt, flags.out)
  say(`run folder ${folder.path}`)
  const { workers, threadsPerWorker } = flags
  const cluster = await createLocalCluster({ workers, threadsPerWorker, runDir: folder.path })
  let present: WorkerInfo[]
  let sweep: Sweep | undefined
  let profile: JobProfile | undefined
  let warm: WarmSweep | undefined
  try {
    present = await cluster.workers()
    say(`${describeStart(present)} after ${Date.now() - startedAt.getTime()} ms; ${problems.length} problems`)
    sweep = await sweepWithProgress(cluster, problems, flags, present)
    profile = sweep && (await cluster.profile(sweep.job))
    if (sweep && flags.warmStart) {
      say('solving the sweep again, each problem from its nearest neighbour')
      warm = await runWarmSweep(cluster, problems, { seed: flags.seed, runId: folder.id })
    }
  } finally {
    // Before the traces are read: services write their last spans when they end.
    await cluster.close()
  }
  if (sweep === undefined) return 'interrupted'
  const data: ReportData = {
    ...(await describeRun(folder, startedAt, present, sweep)),
    ...(profile && { profile }),
    ...(warm && { warm: describeWarm(warm) }),
  }
  const written = await writeRun(folder, data)
  say(renderSummary(data, { folder: folder.path, ...written }))
  const isWarmGood = data.warm === undefined || judgeRun(data.warm.tasks).isGood
  return judgeRun(data.tasks).isGood && isWarmGood ? 'right' : 'wrong'
}

/** Nothing when a signal came: what was cancelled then tells nothing about the problems. */
async function sweepWithProgress(
  cluster: Cluster,
  problems: ReturnType<typeof listProblems>,
  { seed, profile }: MainJobFlags,
  workers: readonly WorkerInfo[],
): Promise<Sweep | undefined> {
  const progress = createProgress({
    stream: process.stdout,
    isTty: process.stdout.isTTY,
    total: problems.length,
    nowMs: () => performance.now(),
  })
  const interruption = new AbortController()
  const leaveLine = (): void => {
    interruption.abort()
    progress.finish()
  }
  // Before the cluster tells that it ends: the line must be left and the cursor be given back first.
  for (const signal of signals) process.prependListener(signal, leaveLine)
  try {
    const slots = workers.reduce((sum, worker) => sum + worker.slots, 0)
    const options = {
      seed,
      slots,
      isSampled: profile ?? false,
      onProgress: (counts: ProgressCounts) => progress.update(counts),
    }
    const sweep = await runSweep(cluster, problems, options)
    return interruption.signal.aborted ? undefined : sweep
  } finally {
    for (const signal of signals) process.off(signal, leaveLine)
    progress.finish()
  }
}

async function describeRun(
  folder: RunFolder,
  startedAt: Date,
  workers: readonly WorkerInfo[],
  { job, answers, submittedAtMs, durationMs }: Sweep,
): Promise<ReportData> {
  const script = path.relative(process.cwd(), process.argv[1] ?? '')
  return {
    run: {
      id: folder.id,
      startedAt: new Date(submittedAtMs).toISOString(),
      command: ['node', script, ...process.argv.slice(2)].join(' '),
      durationMs,
    },
    machine: describeMachine(),
    versions: await readVersions(),
    workers: workers.map(({ id, slots }) => ({ id, slots })),
    tasks: answers.map((answer, index) => checkAnswer(answer, index, submittedAtMs)),
    trajectories: chooseTrajectories(answers),
    phases: await readPhases(folder.path, job.traceId, answers.length),
    traceFiles: await listTraceFiles(folder.path, startedAt.getTime()),
    jobId: job.id,
    traceId: job.traceId,
    traceCommand: traceCommandOf(folder, job.id),
  }
}

/** By the same measure as the sweep. */
function describeWarm({ answers, durationMs }: WarmSweep): NonNullable<ReportData['warm']> {
  return { tasks: answers.map((answer, index) => checkAnswer(answer, index, 0)), durationMs }
}

function describeStart(workers: readonly WorkerInfo[]): string {
  return `scheduler, checkpoint-store and ${formatPlural(workers.length, 'worker')} are up`
}

function say(text: string): void {
  process.stdout.write(`${text}\n`)
}
