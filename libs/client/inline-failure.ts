import type { TaskFailure } from '#libs/domain'
import { UnserializableError } from '#libs/value'

import type { TaskFuture } from './future.js'
import { errorOfFailure, TaskError } from './task-error.js'

/** What a task threw in this process, as a mesh would report it; the original error is the cause. */
export function inlineFailureOf(error: unknown, future: TaskFuture<unknown>, cancelled: boolean) {
  const failure = failureOf(error, cancelled)
  const wrapped = errorOfFailure(future.id, future.taskName, failure)
  if (!cancelled) wrapped.cause = error
  return { kind: 'failed', error: wrapped, cancelled: failure.kind === 'cancelled', timing: undefined } as const
}

function failureOf(error: unknown, cancelled: boolean): TaskFailure {
  if (cancelled) return { kind: 'cancelled', reason: 'CANCELLED', message: 'the task was cancelled' }
  if (error instanceof TaskError) {
    const kind = error.kind === 'cancelled' ? 'cancelled' : 'input'
    return { kind, reason: 'INPUT_FAILED', message: `its input, task ${error.taskId}, failed: ${error.message}` }
  }
  if (error instanceof UnserializableError) {
    return { kind: 'result', reason: 'RESULT_NOT_SERIALIZABLE', message: error.message, errorName: error.name }
  }
  if (!(error instanceof Error)) {
    return { kind: 'userError', reason: 'TASK_THREW', message: `the task threw ${String(error)}, which is no Error` }
  }
  const { name, message, stack } = error
  return { kind: 'userError', reason: 'TASK_THREW', message, errorName: name, ...(stack ? { stack } : {}) }
}
