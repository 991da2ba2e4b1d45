import { demandOfTask } from './slots.js'
import type { Job, Task, TaskCounts, TaskStatus } from './state.js'

/** Under which count a task with this status is kept. */
export function countOf(status: TaskStatus): keyof TaskCounts {
  switch (status.kind) {
    case 'waiting':
    case 'delayed':
    // It takes no slot.
    case 'awaiting':
      return 'waiting'
    case 'queued':
      return 'queued'
    case 'assigned':
    case 'running':
      return 'running'
    case 'settled':
      if (status.outcome.kind === 'finished') return 'finished'
      return status.outcome.failure.kind === 'cancelled' ? 'cancelled' : 'failed'
    default:
      return status satisfies never
  }
}

/** The job at the beginning of its family: itself, when no task submitted it. */
export function rootOf(job: Job): Job {
  return job.root ?? job
}

/** Changes what is true of a task, and the counts with it. */
export function changeStatus(task: Task, status: TaskStatus): void {
  const from = countOf(task.status)
  const to = countOf(status)
  const { counts, totals } = task.job
  task.status = status
  counts[from]--
  counts[to]++
  totals[from]--
  totals[to]++
  if (task.spec.needs !== undefined && !task.suspect) {
    if (from === 'queued') countQueued(task, -1)
    if (to === 'queued') countQueued(task, 1)
  }
  if (from === to || (from !== 'running' && to !== 'running')) return
  const root = rootOf(task.job)
  root.onWorkers += to === 'running' ? 1 : -1
  reorderLanes(root)
}

function countQueued(task: Task, change: number): void {
  const { queuedByDemand } = rootOf(task.job)
  const { key } = demandOfTask(task)
  queuedByDemand.set(key, (queuedByDemand.get(key) ?? 0) + change)
}

/** Whose turn it is depends on how many tasks of each family are on workers. */
function reorderLanes({ lanes }: Job): void {
  for (const lane of lanes.values()) if (lane.heapAt >= 0) lane.group.lanes.place(lane)
}

export const countNames: readonly (keyof TaskCounts)[] = [
  'waiting',
  'queued',
  'running',
  'finished',
  'failed',
  'cancelled',
]
