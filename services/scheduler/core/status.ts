import type { State, Task } from './state.js'

/** Puts a ready task at the end of the queue. */
export function enqueue(state: State, task: Task, atMs: number): void {
  task.readyAtMs = atMs
  const status = { kind: 'queued', sinceMs: atMs } as const
  setStatus(task, status)
  state.queue.push({ task, status })
}

/** Changes what is true of an unsettled task, and its job's counts with it. */
export function setStatus(task: Task, status: Exclude<Task['status'], { kind: 'settled' }>): void {
  const { counts } = task.job
  counts[unsettledCountOf(task.status)]--
  task.status = status
  counts[unsettledCountOf(status)]++
}

function unsettledCountOf(status: Task['status']): 'waiting' | 'queued' | 'running' {
  switch (status.kind) {
    case 'waiting':
    case 'queued':
      return status.kind
    case 'assigned':
    case 'running':
      return 'running'
    case 'settled':
      throw new Error('a settled task changes only by a fact')
    default:
      return status satisfies never
  }
}

/** The task at the head of the queue. Entries of tasks that left it otherwise (cancelled, failed) are dropped on the way. */
export function peekQueued({ queue }: State): Task | undefined {
  for (let entry = queue.peek(); entry !== undefined; entry = queue.peek()) {
    if (entry.task.status === entry.status) return entry.task
    queue.shift()
  }
  return undefined
}
