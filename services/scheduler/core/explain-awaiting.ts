import { formatDuration } from '#libs/domain'

import type { AwaitingStatus, Job, State, Task } from './state.js'

/** Jobs that are named one by one; of more, the number is told. */
const namedJobs = 3

/** Where a task waits for what it submitted, and for which jobs. */
export function describeAwaiting(state: State, task: Task, status: AwaitingStatus, atMs: number): string {
  const { workerId, sinceMs, wokenAtMs, attempt } = status
  const host = state.workers.get(workerId)?.profile.host
  const where = host === undefined ? workerId : `${workerId} (${host})`
  const lasted = formatDuration(Math.max(0, atMs - (wokenAtMs ?? sinceMs)))
  if (wokenAtMs !== undefined) {
    return `has what it waited for, and has waited ${lasted} on ${where} as attempt ${attempt} for a slot to go on`
  }
  const open = [...(task.children ?? [])].filter(({ settledAtMs }) => settledAtMs === undefined)
  const named = open.slice(0, namedJobs).map(describeChild)
  const more = open.length > namedJobs ? [`${open.length - namedJobs} more jobs`] : []
  const what = open.length === 0 ? 'results that are under way' : [...named, ...more].join('; ')
  return `has waited ${lasted} on ${where} as attempt ${attempt}, without a slot, for what it submitted: ${what}`
}

function describeChild({ spec, tasks, counts }: Job): string {
  const open = counts.waiting + counts.queued + counts.running
  const first = tasks.find(({ status }) => status.kind !== 'settled')
  const named = spec.name ? ` (${spec.name})` : ''
  return `job ${spec.jobId}${named}, of which ${open} of ${tasks.length} tasks are not settled, the first ${spec.jobId}/${first?.index ?? 0}`
}
