import { formatDuration } from '#libs/domain'
import { type TaskFuture, type Job, MeshError } from '#libs/task'

import type { NamedTask, StoryLine } from './task-answers.js'

/** The same answer for a task of this process: they run one after the other. */
export function explainInline(jobs: ReadonlyMap<string, Job>, task: NamedTask): string {
  const future = futureOf(jobs, task)
  const name = `task ${future.id} (${future.taskName})`
  if (future.done) return `${name} ${endOf(future)}`
  const before = openBefore(jobs, future)
  if (before === 0) return `${name} runs in this process, or is the next to run`
  return `${name} waits for its turn: ${before} ${before === 1 ? 'task is' : 'tasks are'} before it in this process`
}

/** What happened to a task of this process. */
export function storyInline(jobs: ReadonlyMap<string, Job>, task: NamedTask): StoryLine[] {
  const future = futureOf(jobs, task)
  const { timing } = future
  const line = { attempt: timing ? 1 : 0, workerId: timing?.workerId ?? '' }
  const submitted = { ...line, at: undefined, event: 'jobSubmitted', text: 'its job was submitted', attempt: 0 }
  if (!future.done) return [submitted]
  const started = { ...line, event: 'tasksStarted', text: 'began to run in this process' }
  const settled = { ...line, event: 'taskSettled', text: endOf(future) }
  if (timing === undefined) return [submitted, { ...settled, at: undefined }]
  const { startedAtMs, endedAtMs } = timing
  return [submitted, { ...started, at: new Date(startedAtMs) }, { ...settled, at: new Date(endedAtMs) }]
}

function endOf({ status, error, timing }: TaskFuture<unknown>): string {
  const ran = timing ? `, having run ${formatDuration(timing.endedAtMs - timing.startedAtMs)}` : ''
  if (error === undefined) return `finished${ran}`
  return status === 'cancelled' ? 'was cancelled' : `failed${ran}: ${error.message}`
}

/** How many tasks that are not done were submitted before it. */
function openBefore(jobs: ReadonlyMap<string, Job>, future: TaskFuture<unknown>): number {
  let before = 0
  // A job that is persisted is there under two names.
  for (const job of new Set(jobs.values())) {
    for (const other of job.futures) {
      if (other === future) return before
      if (!other.done) before++
    }
  }
  return before
}

function futureOf(jobs: ReadonlyMap<string, Job>, task: NamedTask): TaskFuture<unknown> {
  if (typeof task !== 'string') return task
  const slash = task.lastIndexOf('/')
  const future = jobs.get(task.slice(0, slash))?.futures[Number(task.slice(slash + 1))]
  if (future) return future
  const message = `task ${task} is unknown; a task's id is its job's id, a slash and its index`
  throw new MeshError('NOT_FOUND', 'TASK_NOT_FOUND', message)
}
