import type { Logger } from '#libs/telemetry'

import type { State } from '../core/state.js'
import type { SlotLog } from '../exec/slot-messages.js'

const levels: Readonly<Record<string, 'debug' | 'info' | 'warn' | 'error'>> = {
  ...{ debug: 'debug', info: 'info', warn: 'warn', error: 'error' },
}

/** Writes a line of a task into the worker's log: at the level that the task chose, with the ids of what the task belongs to. */
export function logTaskLine(logger: Logger, state: State, { taskId, attempt, level, text }: SlotLog): void {
  const ids = {
    'costate.job.id': taskId.slice(0, Math.max(0, taskId.lastIndexOf('/'))),
    'costate.task.id': taskId,
    'costate.task.attempt': attempt,
  }
  logger[levels[level] ?? 'info']({ ...ids, ...traceIdsOf(state, taskId, attempt) }, text)
}

/** The names are those of every line that is written within a span. */
function traceIdsOf({ attempts }: State, taskId: string, attempt: number): Record<string, string> {
  for (const { order } of attempts.values()) {
    if (order.taskId !== taskId || order.attempt !== attempt) continue
    const ids = /^00-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})/.exec(order.trace['traceparent'] ?? '')
    return ids ? { trace_id: ids[1] ?? '', span_id: ids[2] ?? '', trace_flags: ids[3] ?? '' } : {}
  }
  return {}
}
