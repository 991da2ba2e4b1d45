import type { LinkRequest, LogLine, TaskProgress } from '#libs/proto'

import type { FromThread, ThreadLog } from '../exec/thread-messages.js'

type Report = NonNullable<LinkRequest['report']>

/** Progress and log lines on their way to the scheduler: said together, and never more than the stream takes. */
export interface TaskRelay {
  progress(message: Extract<FromThread, { kind: 'progress' }>): void
  log(line: ThreadLog): void
  /** Says at once what waits: lines come before the end of the task that wrote them. */
  flush(): void
  stop(): void
}

const flushMs = 50
/** Lines beyond this number between two flushes are counted, not kept: a task that floods must not fill the memory. */
const maxLines = 1_000

export function createTaskRelay(workerId: string, report: (report: Report) => void): TaskRelay {
  let lines: LogLine[] = []
  let dropped = 0
  const progress = new Map<string, TaskProgress>()

  const flush = (): void => {
    if (progress.size > 0) report({ $case: 'progress', value: { tasks: [...progress.values()] } })
    progress.clear()
    if (dropped > 0) {
      const text = `${dropped} more lines were dropped: a worker passes on at most ${maxLines} in ${flushMs} ms`
      lines.push({ taskId: lines.at(-1)?.taskId ?? '', attempt: 0, workerId, atMs: Date.now(), level: 'warn', text })
    }
    if (lines.length > 0) report({ $case: 'logs', value: { lines } })
    lines = []
    dropped = 0
  }
  const timer = setInterval(flush, flushMs)

  return {
    progress: ({ taskId, fraction, message = '', iteration, cost }) => {
      const whole = iteration === undefined ? undefined : BigInt(Math.trunc(iteration))
      progress.set(taskId, { taskId, fraction, message, iteration: whole, cost })
    },
    log: (line) => {
      if (lines.length >= maxLines) dropped++
      else lines.push({ ...line, workerId })
    },
    flush,
    stop: () => {
      clearInterval(timer)
      flush()
    },
  }
}
