import type { Job, Task, TaskCounts, TaskStatus } from './state.js'

/** Under which count a task with this status is kept. */
export function countOf(status: TaskStatus): keyof TaskCounts {
  switch (status.kind) {
    case 'waiting':
    case 'delayed':
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
    const { queuedByNeeds } = task.job
    if (from === 'queued') queuedByNeeds[task.spec.needs]!--
    if (to === 'queued') queuedByNeeds[task.spec.needs] = (queuedByNeeds[task.spec.needs] ?? 0) + 1
  }
  if (from !== to && (from === 'running' || to === 'running')) reorderLanes(task.job)
}

/** Whose turn it is depends on how many tasks of each job are on workers. */
function reorderLanes({ lanes }: Job): void {
  for (const lane of lanes) if (lane !== undefined && lane.heapAt >= 0) lane.group.lanes.place(lane)
}

export const countNames: readonly (keyof TaskCounts)[] = [
  'waiting',
  'queued',
  'running',
  'finished',
  'failed',
  'cancelled',
]
