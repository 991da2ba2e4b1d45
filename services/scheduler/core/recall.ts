import type { Out } from './effect.js'
import { attemptOf } from './lookup.js'
import { occupantsOf, takesTasks } from './slots.js'
import type { State, Task, Worker } from './state.js'
import { isBehindInputs, setStatus } from './status.js'

/** What was sent ahead should have begun by then: a slot is sent as much work, or the task that it runs next. */
const overdueMs = 100
/** How often is looked. */
const rebalanceEveryMs = 50

/**
 * Late binding after the fact: what was sent ahead to a worker and is stuck there, behind a task that runs longer than its
 * kind does, is asked back while another worker has a slot free. The worker gives back what has not begun.
 */
export function rebalance(state: State, atMs: number, out: Out): void {
  if (atMs < state.rebalancedAtMs + rebalanceEveryMs) return
  const idle = state.vacancies.best(undefined)
  if (idle === undefined) return
  state.rebalancedAtMs = atMs
  for (const worker of state.workers.values()) {
    if (worker !== idle && worker.tasks.size > worker.profile.slots) recallOverdue(worker, atMs, out)
  }
}

/** It runs longer than its kind does: nothing more is sent to wait behind it. */
function reckonLong(worker: Worker, task: Task, atMs: number): void {
  const { status } = task
  if (status.kind !== 'assigned' && status.kind !== 'running') return
  const sinceMs = status.kind === 'assigned' ? status.sinceMs : status.startedAtMs
  // One that has not said that it began may have waited for another of its kind.
  if (status.expectedMs === undefined || atMs - sinceMs < overdueMs + 2 * status.expectedMs) return
  worker.longTasks++
  worker.shortMs = occupantsOf(worker) === worker.longTasks ? 0 : worker.shortMs - status.expectedMs
  setStatus(task, { ...status, expectedMs: undefined })
}

function recallOverdue(worker: Worker, atMs: number, out: Out): void {
  if (!takesTasks(worker)) return
  const { workerId, slots } = worker.profile
  let begun = 0
  // In the order of sending: the first ones run, whether the worker has said so or not.
  for (const task of worker.tasks) {
    const { status } = task
    const isBehind = isBehindInputs(status)
    if (!isBehind && (status.kind !== 'assigned' || begun < slots)) {
      if (begun++ < slots) reckonLong(worker, task, atMs)
      continue
    }
    if (status.kind !== 'assigned') continue
    if (atMs - status.sinceMs < overdueMs) return
    if (worker.recalled.has(task)) continue
    worker.recalled.add(task)
    out.effects.push({ kind: 'recallTask', workerId, attempt: attemptOf(task, status) })
  }
}
