import type { Command } from 'commander'

import { formatDuration, formatTime } from '#libs/domain'
import type { StoryLine } from '#libs/proto'

import { askScheduler } from '../mesh.js'
import { chooseMesh } from '../mesh-choice.js'
import { readPages } from '../paging.js'
import { report } from '../report.js'
import { type Column, type Paint, renderTable } from '../table.js'
import { expectTaskId } from '../task-name.js'
import type { Terminal } from '../terminal.js'

/** A line as `costate story` shows it. */
interface LineRow {
  /** ISO 8601; nothing when it is forgotten. */
  readonly at?: string
  /** Since the line before. */
  readonly afterMs?: number
  readonly event: string
  readonly attempt: number
  readonly workerId: string
  readonly text: string
}

const forPeople: readonly Column<LineRow>[] = [
  { title: 'TIME', show: ({ at }) => (at ? clockOf(at) : ''), paint: () => 'dim' },
  { title: 'AFTER', show: ({ afterMs }) => (afterMs === undefined ? '' : formatDuration(afterMs)) },
  { title: 'WHAT', show: ({ text }) => text, paint: paintOf },
]
const forPrograms: readonly Column<LineRow>[] = [
  { title: 'TIME', show: ({ at }) => at ?? '' },
  { title: 'EVENT', show: ({ event }) => event },
  { title: 'ATTEMPT', show: ({ attempt }) => attempt },
  { title: 'WORKER', show: ({ workerId }) => workerId },
  { title: 'WHAT', show: ({ text }) => text },
]

/** The date and the space behind it. */
const dateLength = '2026-01-01 '.length
/** A story has at most as many lines as the scheduler remembers. */
const allLines = 1_000_000

/** `costate story`: what happened to a task. */
export function addStory(program: Command, terminal: Terminal): void {
  program
    .command('story')
    .description('tell every fact and event that touched a task, in order')
    .argument('<task>', 'the id of the task: job, slash, index')
    .option('--mesh <name>', "the mesh, or its scheduler's address; the one that runs unless given")
    .action(async (task: string, { mesh }: { mesh?: string }, command: Command) => {
      const taskId = expectTaskId(task)
      const { items } = await askScheduler(await chooseMesh(mesh), (scheduler) =>
        readPages<StoryLine>({ limit: allLines }, async (page, call) => {
          const { lines, nextPageToken } = await scheduler.getTaskStory({ taskId, ...page }, call)
          return { items: lines, nextPageToken }
        }),
      )
      const rows = items.map((line, nth) => rowOf(line, items[nth - 1]))
      report(terminal, command, rows, () =>
        renderTable(terminal.isInteractive ? forPeople : forPrograms, rows, terminal),
      )
    })
}

function rowOf({ atMs, event, attempt, workerId, text }: StoryLine, before: StoryLine | undefined): LineRow {
  return {
    ...(atMs > 0 ? { at: new Date(atMs).toISOString() } : {}),
    // The clocks of workers differ a little from the scheduler's.
    ...(atMs > 0 && before && before.atMs > 0 ? { afterMs: Math.max(0, atMs - before.atMs) } : {}),
    event,
    attempt,
    workerId,
    text,
  }
}

function clockOf(at: string): string {
  const time = new Date(at)
  const today = formatTime(new Date()).slice(0, dateLength)
  const text = formatTime(time)
  return `${text.startsWith(today) ? text.slice(dateLength) : text}.${String(time.getMilliseconds()).padStart(3, '0')}`
}

function paintOf({ event, text }: LineRow): Paint | undefined {
  if (event === 'taskSettled')
    return text.startsWith('finished') ? 'green' : text.startsWith('was cancelled') ? 'yellow' : 'red'
  if (['attemptLost', 'taskReopened', 'workerUnlinked', 'dismissWorker'].includes(event)) return 'red'
  if (['cancelAttempt', 'cancelRequested', 'jobCancelled', 'tasksReturned', 'drainWorker'].includes(event))
    return 'yellow'
  return event === 'forgotten' ? 'dim' : undefined
}
