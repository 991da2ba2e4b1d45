import { type Job, JobState, type SchedulerServiceDefinition, type TaskCounts } from '#libs/proto'
import type { RpcClient } from '#libs/rpc'

import { answerTimeoutMs } from './mesh.js'
import { type WorkerStatus, workerStatusOf } from './mesh-status.js'
import { nameOfJobState } from './states.js'

/** A job as `costate top` shows it. */
export interface JobLoad {
  readonly jobId: string
  readonly name: string
  readonly state: string
  readonly counts: TaskCounts
  readonly total: number
  /** Tasks that are settled, however. */
  readonly settled: number
  readonly ageMs: number
}

/** What a mesh does at a moment. */
export interface MeshLoad {
  readonly atMs: number
  readonly workers: readonly WorkerStatus[]
  /** Running ones first, then those that ended last. */
  readonly jobs: readonly JobLoad[]
}

/** How many jobs are looked at: those that run, and the newest. */
const runningJobs = 1_000
const newestJobs = 50
const call = { deadline: answerTimeoutMs }

export async function readMeshLoad(
  scheduler: RpcClient<typeof SchedulerServiceDefinition>,
  atMs: number,
): Promise<MeshLoad> {
  const [running, newest, workers] = await Promise.all([
    scheduler.listJobs({ pageSize: runningJobs, pageToken: '', state: JobState.RUNNING }, call),
    scheduler.listJobs({ pageSize: newestJobs, pageToken: '', state: JobState.UNSPECIFIED }, call),
    scheduler.listWorkers({ pageSize: 1_000, pageToken: '' }, call),
  ])
  const shown = new Set(running.jobs.map(({ jobId }) => jobId))
  const ended = newest.jobs.filter(({ jobId, state }) => state !== JobState.RUNNING && !shown.has(jobId))
  const jobs = [...running.jobs, ...ended].map((job) => loadOf(job, atMs))
  return { atMs, workers: workers.workers.map(workerStatusOf), jobs }
}

/** Tasks settled in a second between two moments; nothing without an earlier one. */
export function rateBetween(before: MeshLoad | undefined, now: MeshLoad): number | undefined {
  if (before === undefined || now.atMs <= before.atMs) return undefined
  const settledBefore = new Map(before.jobs.map(({ jobId, settled }) => [jobId, settled]))
  const elapsedMs = now.atMs - before.atMs
  let settled = 0
  for (const job of now.jobs) {
    const known = settledBefore.get(job.jobId)
    // One that was not seen before counts when it is new.
    if (known !== undefined) settled += Math.max(0, job.settled - known)
    else if (job.ageMs <= elapsedMs) settled += job.settled
  }
  return (settled * 1000) / elapsedMs
}

function loadOf({ jobId, name, state, counts, submittedAt, settledAt }: Job, atMs: number): JobLoad {
  const known = counts ?? { waiting: 0, queued: 0, running: 0, finished: 0, failed: 0, cancelled: 0 }
  const settled = known.finished + known.failed + known.cancelled
  const total = settled + known.waiting + known.queued + known.running
  const msOf = (time: { seconds: bigint; nanos: number } | undefined, otherwise: number): number =>
    time ? Number(time.seconds) * 1000 + time.nanos / 1e6 : otherwise
  const ageMs = Math.max(0, msOf(settledAt, atMs) - msOf(submittedAt, atMs))
  return { jobId, name, state: nameOfJobState(state), counts: known, total, settled, ageMs }
}
