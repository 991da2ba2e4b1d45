import type { LinkRequest, LogLine, TaskProgress } from '#libs/proto'

import type { FromSlot, SlotLog } from '../exec/slot-messages.js'
import { partsOf } from './parts.js'

type Report = NonNullable<LinkRequest['report']>

/** Progress and log lines on their way to the scheduler: said together, and never more than the stream takes. */
export interface TaskRelay {
  progress(message: Extract<FromSlot, { kind: 'progress' }>): void
  log(line: SlotLog): void
  /** Says at once what waits: lines come before the end of the task that wrote them. */
  flush(): void
  stop(): void
}

const flushMs = 50
/** Progress of tasks that end sooner is said with their ends. */
const progressFlushMs = 100
/** Lines beyond this number or length between two flushes are counted, not kept: a task that floods must not fill the memory. */
const maxLines = 1_000
const maxLineBytes = 4 * 2 ** 20
/** No message is longer: others wait behind it. */
const mostPerMessage = { items: maxLines, bytes: 2 ** 20 }

export function createTaskRelay(workerId: string, report: (report: Report) => void): TaskRelay {
  let lines: LogLine[] = []
  let lineBytes = 0
  let dropped = 0
  const progress = new Map<string, TaskProgress>()
  let timer: NodeJS.Timeout | undefined
  let progressTimer: NodeJS.Timeout | undefined

  const flush = (): void => {
    clearTimeout(timer)
    clearTimeout(progressTimer)
    timer = progressTimer = undefined
    const reports = partsOf(progress.values(), ({ taskId, message }) => bytesOf(taskId, message), mostPerMessage)
    for (const tasks of reports) report({ $case: 'progress', value: { tasks } })
    progress.clear()
    if (dropped > 0) {
      const text = `${dropped} more lines were dropped: a worker passes on at most ${maxLines} lines and ${maxLineBytes >> 20} MiB in ${flushMs} ms`
      lines.push({ taskId: lines.at(-1)?.taskId ?? '', attempt: 0, workerId, atMs: Date.now(), level: 'warn', text })
    }
    for (const part of partsOf(lines, ({ taskId, text }) => bytesOf(taskId, text), mostPerMessage)) {
      report({ $case: 'logs', value: { lines: part } })
    }
    lines = []
    lineBytes = 0
    dropped = 0
  }

  return {
    progress: ({ taskId, fraction, message = '', iteration, cost }) => {
      const whole = Number.isFinite(iteration) ? BigInt(Math.trunc(iteration as number)) : undefined
      progress.set(taskId, { taskId, fraction, message, iteration: whole, cost })
      progressTimer ??= setTimeout(flush, progressFlushMs)
    },
    log: (line) => {
      timer ??= setTimeout(flush, flushMs)
      const bytes = bytesOf(line.taskId, line.text)
      if (lines.length >= maxLines || lineBytes + bytes > maxLineBytes) {
        dropped++
        return
      }
      lineBytes += bytes
      lines.push({ ...line, workerId })
    },
    flush,
    stop: flush,
  }
}

/** At most how many bytes a line takes in its message: a UTF-16 unit takes at most three. */
function bytesOf(taskId: string, text: string): number {
  return 64 + taskId.length + 3 * text.length
}
