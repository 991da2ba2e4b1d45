import { type SchedulerServiceDefinition, type TaskTiming, TaskState, type Timestamp } from '#libs/proto'
import type { RpcClient } from '#libs/rpc'

import type { JobTimes, TaskStage, TaskTimes } from './job-times.js'

/** Who tells the times: a scheduler. */
export type TimesSource = Pick<RpcClient<typeof SchedulerServiceDefinition>, 'listTaskTimings'>

/** The times of a job and of those that its tasks submitted, each after its parent. */
export interface Family {
  readonly jobs: [JobTimes, ...JobTimes[]]
  /** How many jobs of tasks were left out, because there are too many or they are forgotten. */
  readonly omitted: number
}

const pageSize = 1_000
/** A recursion may submit as many jobs as it has tasks. */
const mostJobs = 1_000
const askedAtOnce = 8

/**
 * Asks a scheduler for the times of a job, by its id or the name that it is pinned under. A task takes about 300 bytes here.
 * Rejects with the failure of the call: NOT_FOUND for a job that is unknown or forgotten.
 */
export async function readFamily(scheduler: TimesSource, jobId: string): Promise<Family> {
  const jobs: Family['jobs'] = [await readJobTimes(scheduler, jobId)]
  let omitted = 0
  for (let generation: readonly JobTimes[] = jobs; generation.length > 0;) {
    const ids = generation.flatMap(({ tasks }) => tasks.flatMap(({ childJobIds }) => childJobIds))
    const asked = ids.slice(0, mostJobs - jobs.length)
    const children: JobTimes[] = []
    for (let at = 0; at < asked.length; at += askedAtOnce) {
      const some = asked.slice(at, at + askedAtOnce)
      const told = await Promise.all(some.map((id) => readJobTimes(scheduler, id).catch(() => undefined)))
      children.push(...told.filter((job) => job !== undefined))
    }
    omitted += ids.length - children.length
    jobs.push(...children)
    generation = children
  }
  return { jobs, omitted }
}

async function readJobTimes(scheduler: TimesSource, jobId: string): Promise<JobTimes> {
  const tasks: TaskTimes[] = []
  let pageToken = ''
  for (;;) {
    const page = await scheduler.listTaskTimings({ jobId, pageSize, pageToken })
    for (const timing of page.timings) tasks.push(timesOf(timing))
    pageToken = page.nextPageToken
    if (pageToken !== '') continue
    const { job } = page
    if (job === undefined) return timesOfForgotten(jobId, tasks)
    const submittedAtMs = job.submittedAt ? millisecondsOf(job.submittedAt) : 0
    const settledAtMs = job.settledAt && millisecondsOf(job.settledAt)
    return { jobId: job.jobId, name: job.name, submittedAtMs, settledAtMs, tasks }
  }
}

/** A job that was forgotten with the task that submitted it was submitted when its first task was ready. */
function timesOfForgotten(jobId: string, tasks: readonly TaskTimes[]): JobTimes {
  let [submittedAtMs, settledAtMs] = [Infinity, 0]
  for (const { firstReadyAtMs, settledAtMs: taskSettledAtMs } of tasks) {
    if (firstReadyAtMs > 0) submittedAtMs = Math.min(submittedAtMs, firstReadyAtMs)
    settledAtMs = Math.max(settledAtMs, taskSettledAtMs)
  }
  return { jobId, name: '', submittedAtMs: Number.isFinite(submittedAtMs) ? submittedAtMs : 0, settledAtMs, tasks }
}

function timesOf({ state, inputBytes, resultBytes, ...timing }: TaskTiming): TaskTimes {
  return { ...timing, stage: stageOf(state), inputBytes: Number(inputBytes), resultBytes: Number(resultBytes) }
}

function stageOf(state: TaskState): TaskStage {
  switch (state) {
    case TaskState.QUEUED:
      return 'queued'
    case TaskState.ASSIGNED:
      return 'assigned'
    case TaskState.RUNNING:
      return 'running'
    case TaskState.FINISHED:
      return 'finished'
    case TaskState.FAILED:
      return 'failed'
    case TaskState.CANCELLED:
      return 'cancelled'
    default:
      return 'waiting'
  }
}

function millisecondsOf({ seconds, nanos }: Timestamp): number {
  return Number(seconds) * 1_000 + nanos / 1e6
}
