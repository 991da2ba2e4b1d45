import { type Command, InvalidArgumentError } from 'commander'

import { type Job, JobState, type Timestamp } from '#libs/proto'

import { formatDuration, formatTime } from '#libs/domain'
import { answerTimeoutMs, askScheduler } from '../mesh.js'
import { report } from '../report.js'
import { type Column, renderTable } from '../table.js'
import type { Terminal } from '../terminal.js'

/** A job as `costate jobs` shows it; times in ISO 8601. */
interface JobRow {
  readonly jobId: string
  readonly name: string
  readonly state: 'running' | 'finished' | 'failed' | 'cancelled' | 'unknown'
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
}

const columns: readonly Column<JobRow>[] = [
  { title: 'JOB', show: ({ jobId }) => jobId },
  { title: 'NAME', show: ({ name }) => name },
  { title: 'STATE', show: ({ state }) => state },
  { title: 'TASKS', show: ({ tasks }) => tasks.total },
  { title: 'DONE', show: ({ tasks }) => tasks.finished },
  { title: 'FAILED', show: ({ tasks }) => tasks.failed },
  { title: 'CANCELLED', show: ({ tasks }) => tasks.cancelled },
  { title: 'SUBMITTED', show: ({ submittedAt }) => formatTime(new Date(submittedAt)) },
  { title: 'TOOK', show: ({ submittedAt, settledAt }) => (settledAt ? tookFrom(submittedAt, settledAt) : '') },
]

const maxPageSize = 1_000

/** `costate jobs`: the jobs of a mesh, newest first. */
export function addJobs(program: Command, terminal: Terminal): void {
  program
    .command('jobs')
    .description('list the jobs of a mesh, newest first')
    .argument('<mesh>', "the name of a mesh, or its scheduler's address")
    .option('--limit <count>', 'at most so many', parseLimit, 50)
    .action(async (mesh: string, { limit }: { limit: number }, command: Command) => {
      const jobs = await listJobs(mesh, limit)
      report(terminal, command, jobs, () =>
        jobs.length > 0 ? renderTable(columns, jobs, terminal) : `mesh '${mesh}' has no jobs`,
      )
    })
}

async function listJobs(mesh: string, limit: number): Promise<JobRow[]> {
  return await askScheduler(mesh, async (scheduler) => {
    const jobs: JobRow[] = []
    let pageToken = ''
    do {
      const pageSize = Math.min(limit - jobs.length, maxPageSize)
      const page = await scheduler.listJobs({ pageSize, pageToken }, { deadline: answerTimeoutMs })
      jobs.push(...page.jobs.map(rowOf))
      pageToken = page.nextPageToken
    } while (pageToken !== '' && jobs.length < limit)
    return jobs
  })
}

function rowOf({ jobId, name, state, counts, submittedAt, settledAt, traceId, detached }: Job): JobRow {
  const { waiting = 0, queued = 0, running = 0, finished = 0, failed = 0, cancelled = 0 } = counts ?? {}
  const total = waiting + queued + running + finished + failed + cancelled
  return {
    jobId,
    name,
    state: stateNames.get(state) ?? 'unknown',
    tasks: { total, finished, failed, cancelled },
    submittedAt: isoOf(submittedAt ?? { seconds: 0n, nanos: 0 }),
    ...(settledAt ? { settledAt: isoOf(settledAt) } : {}),
    traceId,
    detached,
  }
}

const stateNames = new Map<JobState, JobRow['state']>([
  [JobState.RUNNING, 'running'],
  [JobState.FINISHED, 'finished'],
  [JobState.FAILED, 'failed'],
  [JobState.CANCELLED, 'cancelled'],
])

function isoOf({ seconds, nanos }: Timestamp): string {
  return new Date(Number(seconds) * 1000 + nanos / 1e6).toISOString()
}

function tookFrom(submittedAt: string, settledAt: string): string {
  return formatDuration(Date.parse(settledAt) - Date.parse(submittedAt))
}

function parseLimit(text: string): number {
  if (/^[1-9]\d{0,5}$/.test(text)) return Number(text)
  throw new InvalidArgumentError('Give a whole number from 1 to 999999.')
}
