import type { TaskFailure } from '#libs/domain'
import { SharedInputChangedError } from '#libs/submission'
import { TaskError } from '#libs/task'
import { CodecError, UnserializableError } from '#libs/value'

import { InlineTimeoutError } from './inline-attempt.js'

const maxCauses = 5

/** What a task threw in this process, as data, as a mesh would report it. */
export function inlineFailureOf(error: unknown, depth = 0): TaskFailure {
  if (error instanceof InlineTimeoutError) return { kind: 'timeout', reason: 'TASK_TIMEOUT', message: error.message }
  if (!(error instanceof Error)) {
    return { kind: 'userError', reason: 'TASK_THREW', message: `the task threw ${String(error)}, which is no Error` }
  }
  const { name: errorName, message, stack, cause } = error
  return {
    ...classOf(error),
    ...{ message, errorName },
    ...(stack ? { stack } : {}),
    ...(cause !== undefined && depth < maxCauses ? { cause: inlineFailureOf(cause, depth + 1) } : {}),
  }
}

function classOf(error: Error): Pick<TaskFailure, 'kind' | 'reason'> {
  if (error instanceof UnserializableError) return { kind: 'result', reason: 'RESULT_NOT_SERIALIZABLE' }
  if (error instanceof CodecError) return { kind: 'input', reason: error.reason }
  if (error instanceof SharedInputChangedError) return { kind: 'userError', reason: 'SHARED_INPUT_CHANGED' }
  return { kind: 'userError', reason: 'TASK_THREW' }
}

/** How a task fails whose input failed or is not there; it carries the failure that began it all. */
export function inlineInputFailureOf(error: unknown): TaskFailure {
  if (!(error instanceof TaskError)) {
    return { kind: 'input', reason: 'INPUT_LOST', message: error instanceof Error ? error.message : String(error) }
  }
  const { taskId, taskName, failure } = error
  const named = { ...failure, taskId, taskName }
  const cause = failure.reason === 'INPUT_FAILED' ? (failure.cause ?? named) : named
  const message = `its input, task ${taskId}, failed: ${cause.message}`
  return { kind: cause.kind === 'cancelled' ? 'cancelled' : 'input', reason: 'INPUT_FAILED', message, cause }
}
