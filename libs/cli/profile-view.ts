import { formatBytes, formatDuration } from '#libs/domain'
import type { CriticalStep, JobProfile, ProfilePhase, ProfileWorker } from '#libs/profile'

import { type Column, printable, renderTable } from './table.js'
import type { Terminal } from './terminal.js'

/** A long path is told by its longest tasks. */
const shownSteps = 20

const phaseColumns: readonly Column<ProfilePhase>[] = [
  { title: 'PHASE', show: ({ name }) => name },
  { title: 'ALL TASKS', show: ({ totalMs }) => formatDuration(totalMs) },
  { title: 'MEDIAN', show: ({ medianMs }) => formatDuration(medianMs) },
  { title: 'MOST', show: ({ maxMs }) => formatDuration(maxMs) },
  { title: 'TASKS', show: ({ tasks }) => tasks },
]

const workerColumns: readonly Column<ProfileWorker>[] = [
  { title: 'WORKER', show: ({ workerId }) => workerId },
  { title: 'HOST', show: ({ host }) => host ?? 'gone', isCut: true, isExtra: true },
  { title: 'SLOTS', show: ({ slots }) => slots },
  { title: 'TASKS', show: ({ tasks }) => tasks },
  { title: 'COMPUTE', show: ({ computeMs }) => formatDuration(computeMs) },
  { title: 'BUSY', show: ({ busyShare }) => formatPercent(busyShare) },
  { title: 'IN', show: ({ inputBytes }) => formatBytes(inputBytes), isExtra: true },
  { title: 'OUT', show: ({ resultBytes }) => formatBytes(resultBytes), isExtra: true },
  { title: 'MEMORY', show: ({ memory }) => (memory ? formatBytes(memory.rssBytes) : '') },
  { title: 'PEAK', show: ({ memory }) => (memory && memory.peakRssBytes > 0 ? formatBytes(memory.peakRssBytes) : '') },
]

const stepColumns: readonly Column<CriticalStep>[] = [
  { title: 'TASK', show: ({ taskId }) => taskId },
  { title: 'NAME', show: ({ name }) => name, isCut: true },
  { title: 'WORKER', show: ({ workerId }) => workerId, isExtra: true },
  { title: 'COMPUTE', show: ({ computeMs }) => formatDuration(computeMs) },
  { title: 'TRANSFER', show: ({ transferMs }) => formatDuration(transferMs) },
  { title: 'WAITED', show: ({ waitMs }) => formatDuration(waitMs) },
]

/** The profile of a job as `costate profile` prints it. */
export function renderProfile(profile: JobProfile, terminal: Terminal): string {
  const { phases, workers, criticalPath, notes } = profile
  const parts = [
    headOf(profile),
    renderTable(phaseColumns, phases, terminal),
    ...(workers.length > 0 ? [renderTable(workerColumns, workers, terminal)] : []),
    ...(criticalPath.stepCount > 0 ? [pathOf(profile), renderTable(stepColumns, stepsOf(criticalPath), terminal)] : []),
    ...(notes.length > 0 ? [notes.map((note) => `note: ${note}`).join('\n')] : []),
  ]
  return parts.join('\n\n')
}

function headOf(profile: JobProfile): string {
  const { jobId, name, jobs, tasks, ranTasks, retriedTasks, wallMs, computeMs } = profile
  const { speedUp, slots, usedSlots, efficiency, parallelism } = profile
  const children = jobs > 1 ? ` with ${jobs - 1} jobs of its tasks` : ''
  const retried = retriedTasks > 0 ? `, ${retriedTasks} of them tried again` : ''
  return [
    `job ${jobId} (${printable(name)})${children}: ${ranTasks} of ${tasks} tasks ran${retried}`,
    `${formatDuration(wallMs)} of wall time, ${formatDuration(computeMs)} of computing: ${speedUp.toFixed(2)} times one worker`,
    `${formatPercent(efficiency)} of ${slots} slots, ${usedSlots} of which ran something; at most ${parallelism.toFixed(1)} times with any number`,
  ].join('\n')
}

function pathOf({ criticalPath: { lengthMs, stepCount }, wallMs }: JobProfile): string {
  const share = wallMs > 0 ? `, ${formatPercent(lengthMs / wallMs)} of the wall time` : ''
  const shown = stepCount > shownSteps ? `; the ${shownSteps} longest:` : ':'
  return `the critical path is ${formatDuration(lengthMs)} long${share}, over ${stepCount} tasks${shown}`
}

/** The longest of them, in their order. */
function stepsOf({ steps }: JobProfile['criticalPath']): readonly CriticalStep[] {
  if (steps.length <= shownSteps) return steps
  const lengthOf = ({ computeMs, transferMs }: CriticalStep): number => computeMs + transferMs
  const longest = new Set([...steps].sort((a, b) => lengthOf(b) - lengthOf(a)).slice(0, shownSteps))
  return steps.filter((step) => longest.has(step))
}

function formatPercent(share: number): string {
  return `${(100 * share).toFixed(share < 0.1 ? 1 : 0)} %`
}
