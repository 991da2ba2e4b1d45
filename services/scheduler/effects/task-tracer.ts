import { SpanKind } from '@opentelemetry/api'

import { taskIdOf, type WorkerId } from '#libs/domain'
import type { Clock } from '#libs/lifecycle'
import { createSpanBudget, recordSpan, type TraceCarrier } from '#libs/telemetry'

import type { Task } from '../core/state.js'

/** Records where a task's time goes in the scheduler, for as many tasks per second as the span budget admits. */
export interface TaskTracer {
  /** The wait in the queue until now; the carrier goes with the task, empty when it is not traced by itself. */
  traceDispatch(task: Task, workerId: WorkerId): TraceCarrier
  /** A task that failed without a dispatch still gets its span: failures keep their chain. */
  traceSettle(task: Task): void
}

export function createTaskTracer(clock: Clock): TaskTracer {
  const budget = createSpanBudget()
  return {
    traceDispatch: (task, workerId) => {
      const { spec } = task.job
      const nowMs = clock.nowMs()
      // What is retried keeps its chain whatever the rate.
      if (spec.trace['traceparent'] === undefined || !(task.attempt > 1 || budget.admit(nowMs))) return {}
      return recordSpan({
        name: 'queue',
        kind: SpanKind.INTERNAL,
        parent: spec.trace,
        startMs: task.readyAtMs,
        endMs: nowMs,
        attributes: { ...attributesOf(task), 'costate.worker.id': workerId },
      })
    },
    traceSettle: (task) => {
      const { status, job } = task
      if (status.kind !== 'settled' || status.outcome.kind === 'finished' || status.record.workerId !== undefined)
        return
      if (job.spec.trace['traceparent'] === undefined || !budget.admit(clock.nowMs())) return
      recordSpan({
        name: 'settle',
        kind: SpanKind.INTERNAL,
        parent: job.spec.trace,
        startMs: task.readyAtMs,
        endMs: clock.nowMs(),
        attributes: attributesOf(task),
        error: status.outcome.failure.message,
      })
    },
  }
}

function attributesOf(task: Task): Record<string, string | number> {
  const { jobId } = task.job.spec
  return {
    'costate.job.id': jobId,
    'costate.task.id': taskIdOf(jobId, task.index),
    'costate.task.attempt': task.attempt,
  }
}
