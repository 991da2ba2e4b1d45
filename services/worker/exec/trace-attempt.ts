import { SpanKind } from '@opentelemetry/api'

import { recordSpan } from '#libs/telemetry'

import type { TaskOrder } from '../core/state.js'

/** Records a stage of an attempt, when the scheduler chose to trace the task by itself. */
export function traceAttempt(
  order: TaskOrder,
  stage: 'fetch' | 'run',
  startMs: number,
  endMs: number,
  workerId: string,
  error?: string,
): void {
  if (order.trace['traceparent'] === undefined) return
  recordSpan({
    name: stage === 'run' ? `run ${order.taskName}` : stage,
    kind: stage === 'run' ? SpanKind.CONSUMER : SpanKind.INTERNAL,
    parent: order.trace,
    startMs,
    endMs,
    attributes: {
      'costate.job.id': order.jobId,
      'costate.task.id': order.taskId,
      'costate.task.attempt': order.attempt,
      'costate.worker.id': workerId,
    },
    ...(error === undefined ? {} : { error }),
  })
}
