import type { Command } from 'commander'

import { type Job, JobState, type Timestamp } from '#libs/proto'

import { formatDuration, formatTime } from '#libs/domain'
import { askScheduler } from '../mesh.js'
import { chooseMesh } from '../mesh-choice.js'
import { addPaging, type Page, type PageOptions, readPages, tellMore } from '../paging.js'
import { report } from '../report.js'
import { jobStateNames, nameOfJobState, paintOfState, parseJobState } from '../states.js'
import { type Column, renderTable } from '../table.js'
import type { Terminal } from '../terminal.js'

/** A job as `costate jobs` shows it; times in ISO 8601. */
interface JobRow {
  readonly jobId: string
  readonly name: string
  readonly state: string
  readonly tasks: {
    readonly total: number
    readonly finished: number
    readonly failed: number
    readonly cancelled: number
  }
  readonly submittedAt: string
  readonly settledAt?: string
  readonly traceId: string
  readonly detached: boolean
  /** The task that submitted it. */
  readonly parentTaskId?: string
  /** Large results that are on their way to the checkpoint-store. */
  readonly volatileResults?: number
}

const columns: readonly Column<JobRow>[] = [
  { title: 'JOB', show: ({ jobId }) => jobId },
  { title: 'NAME', show: ({ name }) => name, isCut: true },
  { title: 'STATE', show: ({ state }) => state, paint: ({ state }) => paintOfState(state) },
  { title: 'TASKS', show: ({ tasks }) => tasks.total },
  { title: 'DONE', show: ({ tasks }) => tasks.finished },
  { title: 'FAILED', show: ({ tasks }) => tasks.failed, paint: ({ tasks }) => (tasks.failed > 0 ? 'red' : undefined) },
  { title: 'CANCELLED', show: ({ tasks }) => tasks.cancelled, isExtra: true },
  { title: 'OF TASK', show: ({ parentTaskId = '' }) => parentTaskId, isExtra: true },
  { title: 'SUBMITTED', show: ({ submittedAt }) => formatTime(new Date(submittedAt)), isExtra: true },
  { title: 'TOOK', show: ({ submittedAt, settledAt }) => (settledAt ? tookFrom(submittedAt, settledAt) : '') },
]

interface Options extends PageOptions {
  readonly state?: JobState
}

/** `costate jobs`: the jobs of a mesh, newest first. */
export function addJobs(program: Command, terminal: Terminal): void {
  const command = program
    .command('jobs')
    .description('list the jobs of a mesh, newest first')
    .argument('[mesh]', "the mesh, or its scheduler's address; the one that runs unless given")
    .option('--state <state>', `only jobs in this state: ${jobStateNames}`, parseJobState)
    .action(async (named: string | undefined, options: Options, command: Command) => {
      const mesh = await chooseMesh(named)
      const page = await listJobs(mesh, options)
      const which = options.state === undefined ? 'no jobs' : 'no job in that state'
      report(terminal, command, page.items, (jobs) =>
        jobs.length > 0 ? renderTable(columns, jobs, terminal) : `mesh '${mesh}' has ${which}`,
      )
      tellMore(page, command, terminal)
    })
  addPaging(command)
}

async function listJobs(mesh: string, options: Options): Promise<Page<JobRow>> {
  const { state = JobState.UNSPECIFIED } = options
  return await askScheduler(mesh, (scheduler) =>
    readPages(options, async (page, call) => {
      const { jobs, nextPageToken } = await scheduler.listJobs({ ...page, state }, call)
      return { items: jobs.map(rowOf), nextPageToken }
    }),
  )
}

function rowOf(job: Job): JobRow {
  const { jobId, name, state, counts, submittedAt, settledAt, traceId, detached, parentTaskId, volatileResults } = job
  const { waiting = 0, queued = 0, running = 0, finished = 0, failed = 0, cancelled = 0 } = counts ?? {}
  const total = waiting + queued + running + finished + failed + cancelled
  return {
    jobId,
    name,
    state: nameOfJobState(state),
    tasks: { total, finished, failed, cancelled },
    submittedAt: isoOf(submittedAt ?? { seconds: 0n, nanos: 0 }),
    ...(settledAt ? { settledAt: isoOf(settledAt) } : {}),
    traceId,
    detached,
    ...(parentTaskId ? { parentTaskId } : {}),
    ...(volatileResults > 0 ? { volatileResults } : {}),
  }
}

function isoOf({ seconds, nanos }: Timestamp): string {
  return new Date(Number(seconds) * 1000 + nanos / 1e6).toISOString()
}

function tookFrom(submittedAt: string, settledAt: string): string {
  return formatDuration(Date.parse(settledAt) - Date.parse(submittedAt))
}
