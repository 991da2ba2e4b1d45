import { changeStatus } from './counts.js'
import type { DelayReason, State, Task, TaskStatus } from './state.js'

/** Whether a task was sent ahead of inputs that its worker has yet to make. */
export function isBehindInputs(status: TaskStatus): boolean {
  return (status.kind === 'assigned' || status.kind === 'running') && status.behind.length > 0
}

/** Puts a ready task at the end of its queue. */
function enqueue(state: State, task: Task, atMs: number): void {
  task.readyAtMs = atMs
  const status = { kind: 'queued', sinceMs: atMs } as const
  setStatus(task, status)
  if (task.suspect) state.suspects.push({ task, status })
  else state.queue.push({ task, status })
}

/** Nothing keeps the task back but, when its last attempt failed, the wait before the next. */
export function makeReady(state: State, task: Task, atMs: number): void {
  const retryAtMs = task.past?.retryAtMs ?? 0
  if (retryAtMs > atMs) delayTask(state, task, retryAtMs, 'retry')
  else enqueue(state, task, atMs)
}

/** Keeps a task back until then. */
export function delayTask(state: State, task: Task, untilMs: number, why: DelayReason): void {
  setStatus(task, { kind: 'delayed', untilMs, why })
  state.delayed.add(task)
}

/** Changes what is true of an unsettled task. */
export function setStatus(task: Task, status: Exclude<Task['status'], { kind: 'settled' }>): void {
  if (task.status.kind === 'settled') throw new Error('a settled task changes only by a fact')
  changeStatus(task, status)
}
