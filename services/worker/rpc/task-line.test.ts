import type { TaskId } from '#libs/domain'
import { createLogger } from '#libs/telemetry'
import { expect, test } from 'vitest'

import { createState, keyOf, type TaskOrder } from '../core/state.js'
import { logTaskLine } from './task-line.js'

const traceId = '0af7651916cd43dd8448eb211c80319c'
const spanId = 'b7ad6b7169203331'

/** What is written of the line of a task that runs in its second attempt. */
function written(level: string, trace: Readonly<Record<string, string>>): Record<string, unknown>[] {
  const lines: string[] = []
  const destination = { write: (line: string) => void lines.push(line) }
  const logger = createLogger({ service: 'worker', instanceId: 'w', level: 'debug', destination })
  const state = createState(1)
  const order: TaskOrder = {
    ...{ taskId: 'j-1/7' as TaskId, epoch: 3, attempt: 2, jobId: 'j-1', index: 7, bundleDigest: 'b', taskName: 'f' },
    ...{ seed: 0n, input: new Uint8Array(), inputs: [], trace, timeoutMs: undefined },
  }
  state.attempts.set(keyOf(order), { order, status: { kind: 'running', slot: 0, startedAtMs: 0 }, cancelled: false })
  logTaskLine(logger, state, { taskId: 'j-1/7', attempt: 2, level, text: 'so far', atMs: 0 })
  return lines.map((line) => JSON.parse(line) as Record<string, unknown>)
}

test('a line of a task has the level that the task chose, and the ids of its job, attempt and trace', () => {
  expect(written('warn', { traceparent: `00-${traceId}-${spanId}-01` })).toEqual([
    expect.objectContaining({
      ...{ level: 'warn', msg: 'so far', trace_id: traceId, span_id: spanId, trace_flags: '01' },
      ...{ 'costate.job.id': 'j-1', 'costate.task.id': 'j-1/7', 'costate.task.attempt': 2 },
    }),
  ])
  expect(written('debug', {})).toMatchObject([{ level: 'debug' }])
})

test('a task that is not traced has no trace, and a level that nobody knows is information', () => {
  const [line] = written('loud', {})
  expect(line).toMatchObject({ level: 'info' })
  expect(line).not.toHaveProperty('trace_id')
})
