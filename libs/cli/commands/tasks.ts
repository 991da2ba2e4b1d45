import type { Command } from 'commander'

import { formatDuration } from '#libs/domain'
import { type Task, TaskState } from '#libs/proto'

import { askScheduler } from '../mesh.js'
import { chooseMesh } from '../mesh-choice.js'
import { addPaging, type Page, type PageOptions, readPages, tellMore } from '../paging.js'
import { report } from '../report.js'
import { nameOfTaskState, paintOfState, parseTaskState, taskStateNames } from '../states.js'
import { type Column, renderTable } from '../table.js'
import type { Terminal } from '../terminal.js'

/** A task as `costate tasks` shows it. */
interface TaskRow {
  readonly taskId: string
  readonly name: string
  readonly state: string
  readonly attempt: number
  readonly workerId: string
  /** By the worker's clock, ISO 8601. */
  readonly startedAt?: string
  /** Until now, while it runs. */
  readonly ranMs?: number
  readonly failure?: { readonly reason: string; readonly message: string }
}

interface Options extends PageOptions {
  readonly mesh?: string
  readonly state?: TaskState
}

const columns: readonly Column<TaskRow>[] = [
  { title: 'TASK', show: ({ taskId }) => taskId },
  { title: 'NAME', show: ({ name }) => name, isCut: true },
  { title: 'STATE', show: ({ state }) => state, paint: ({ state }) => paintOfState(state) },
  { title: 'ATTEMPT', show: ({ attempt }) => attempt, isExtra: true },
  { title: 'WORKER', show: ({ workerId }) => workerId },
  { title: 'RAN', show: ({ ranMs }) => (ranMs === undefined ? '' : formatDuration(ranMs)) },
  { title: 'WHY', show: ({ failure }) => failure?.message ?? '', isCut: true },
]

/** `costate tasks`: the tasks of a job. */
export function addTasks(program: Command, terminal: Terminal): void {
  const command = program
    .command('tasks')
    .description('list the tasks of a job, by index')
    .argument('<job>', 'the id of the job, or the name that it is pinned under')
    .option('--mesh <name>', "the mesh, or its scheduler's address; the one that runs unless given")
    .option('--state <state>', `only tasks in this state: ${taskStateNames}`, parseTaskState)
    .action(async (jobId: string, options: Options, command: Command) => {
      const page = await listTasks(await chooseMesh(options.mesh), jobId, options)
      report(terminal, command, page.items, (tasks) =>
        tasks.length > 0 ? renderTable(columns, tasks, terminal) : `no task of job ${jobId} is in that state`,
      )
      tellMore(page, command, terminal)
    })
  addPaging(command)
}

async function listTasks(mesh: string, jobId: string, options: Options): Promise<Page<TaskRow>> {
  const { state = TaskState.UNSPECIFIED } = options
  return await askScheduler(mesh, (scheduler) =>
    readPages(options, async (page, call) => {
      const { tasks, nextPageToken } = await scheduler.listTasks({ jobId, state, ...page }, call)
      return { items: tasks.map((task) => rowOf(task)), nextPageToken }
    }),
  )
}

function rowOf(task: Task): TaskRow {
  const { taskId, name, attempt, workerId, startedAtMs, endedAtMs, failure } = task
  return {
    taskId,
    name,
    state: nameOfTaskState(task.state),
    attempt,
    workerId,
    ...(startedAtMs > 0 ? { startedAt: new Date(startedAtMs).toISOString() } : {}),
    ...(startedAtMs > 0 ? { ranMs: ranMsOf(startedAtMs, endedAtMs || Date.now()) } : {}),
    ...(failure ? { failure: { reason: failure.reason, message: failure.message } } : {}),
  }
}

/** Clocks of workers differ, and nobody asks for less than a microsecond. */
function ranMsOf(startedAtMs: number, endedAtMs: number): number {
  return Math.max(0, Math.round((endedAtMs - startedAtMs) * 1000) / 1000)
}
