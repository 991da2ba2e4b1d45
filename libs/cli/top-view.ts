import { createColors } from 'picocolors'

import { formatBytes, formatDuration } from '#libs/domain'

import type { JobLoad, MeshLoad } from './mesh-load.js'
import type { WorkerStatus } from './mesh-status.js'
import { paintOfState } from './states.js'
import { type Column, renderTable } from './table.js'
import type { Terminal } from './terminal.js'

const barWidth = 20
const narrowBarWidth = 10
/** A terminal with fewer columns is narrow. */
const narrowWidth = 110
const slotBarWidth = 8

const workerColumns = (terminal: Terminal): readonly Column<WorkerStatus>[] => [
  { title: 'WORKER', show: ({ workerId }) => workerId },
  { title: 'HOST', show: ({ host }) => host, isCut: true },
  { title: 'STATE', show: ({ state }) => state, paint: ({ state }) => paintOfState(state) },
  {
    title: 'LOAD',
    show: (worker) => loadOf(worker, terminal),
    paint: ({ assignedTasks }) => (assignedTasks > 0 ? 'cyan' : 'dim'),
  },
  { title: 'TASKS', show: ({ assignedTasks }) => assignedTasks },
  { title: 'SLOTS', show: ({ slots }) => slots },
  { title: 'OBJECTS', show: ({ heldObjects }) => heldObjects, isExtra: true },
  {
    title: 'MEMORY',
    show: memoryText,
    paint: ({ rssBytes, memoryLimitBytes: limit }) => (limit > 0 && rssBytes > 0.8 * limit ? 'red' : undefined),
  },
]

const jobColumns = (terminal: Terminal): readonly Column<JobLoad>[] => [
  { title: 'JOB', show: ({ jobId }) => jobId },
  { title: 'NAME', show: ({ name }) => name, isCut: true },
  { title: 'STATE', show: ({ state }) => state, paint: ({ state }) => paintOfState(state) },
  { title: 'PROGRESS', show: (job) => progressOf(job, terminal), paint: ({ state }) => paintOfState(state) },
  { title: 'TASKS', show: ({ total }) => total },
  { title: 'RUNNING', show: ({ counts }) => counts.running, isExtra: true },
  { title: 'QUEUED', show: ({ counts }) => counts.queued + counts.waiting, isExtra: true },
  {
    title: 'FAILED',
    show: ({ counts }) => counts.failed,
    paint: ({ counts }) => (counts.failed > 0 ? 'red' : undefined),
  },
  { title: 'TIME', show: ({ ageMs }) => formatDuration(ageMs), isExtra: true },
]

/** A view of a mesh that fits the terminal: who works at what, and how far the jobs are. */
export function renderTop(mesh: string, load: MeshLoad, rate: number | undefined, terminal: Terminal): string {
  const { bold, dim } = createColors(terminal.color)
  const { workers, jobs } = load
  const slots = workers.reduce((sum, worker) => sum + worker.slots, 0)
  const running = jobs.filter(({ state }) => state === 'running')
  const count = (what: 'running' | 'queued' | 'waiting'): number =>
    running.reduce((sum, job) => sum + job.counts[what], 0)
  const facts = [
    ...(rate === undefined ? [] : [`${rate < 9.95 ? rate.toFixed(1) : Math.round(rate)} tasks/s`]),
    `${count('running')} on workers`,
    `${count('queued')} queued`,
    `${count('waiting')} waiting for inputs`,
  ].join(', ')
  const title = `${bold(mesh)}: ${countOf(workers.length, 'worker')}, ${countOf(slots, 'slot')}, ${countOf(running.length, 'running job')}`
  // The two lines of facts, the titles of both tables, what is said to be left out, the foot, and the empty lines between.
  const room = Math.max(2, terminal.height - 10)
  const shownWorkers = workers.slice(0, Math.min(workers.length, Math.max(room - jobs.length, Math.ceil(room / 2))))
  const shownJobs = jobs.slice(0, Math.max(1, room - shownWorkers.length))
  const more = (all: number, shown: number): string[] => (all > shown ? [dim(`and ${all - shown} more`)] : [])
  return [
    title,
    facts,
    '',
    workers.length > 0 ? renderTable(workerColumns(terminal), shownWorkers, terminal) : 'no workers',
    ...more(workers.length, shownWorkers.length),
    '',
    jobs.length > 0 ? renderTable(jobColumns(terminal), shownJobs, terminal) : 'no jobs',
    ...more(jobs.length, shownJobs.length),
  ].join('\n')
}

function loadOf({ assignedTasks, slots }: WorkerStatus, { isInteractive }: Terminal): string {
  const share = slots === 0 ? 0 : Math.min(1, assignedTasks / slots)
  return isInteractive ? bar(share, slotBarWidth) : percent(share)
}

function progressOf({ settled, total }: JobLoad, { isInteractive, width }: Terminal): string {
  const share = total === 0 ? 1 : settled / total
  return isInteractive
    ? `${bar(share, width < narrowWidth ? narrowBarWidth : barWidth)} ${percent(share).padStart(5)}`
    : percent(share)
}

function percent(share: number): string {
  return `${Math.floor(share * 100)} %`
}

function bar(share: number, width: number): string {
  const full = Math.floor(share * width)
  return '█'.repeat(full) + '░'.repeat(width - full)
}

function memoryText({ rssBytes, memoryLimitBytes }: WorkerStatus): string {
  return memoryLimitBytes > 0 ? `${formatBytes(rssBytes)} of ${formatBytes(memoryLimitBytes)}` : formatBytes(rssBytes)
}

function countOf(count: number, what: string): string {
  return `${count} ${what}${count === 1 ? '' : 's'}`
}
