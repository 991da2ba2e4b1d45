import type { TaskFailure } from '#libs/domain'
import { TaskError } from '#libs/task'
import { UnserializableError } from '#libs/value'

import { InlineTimeoutError } from './inline-attempt.js'

const maxCauses = 5

/** What a task threw in this process, as data, as a mesh would report it. */
export function inlineFailureOf(error: unknown, depth = 0): TaskFailure {
  if (error instanceof InlineTimeoutError) return { kind: 'timeout', reason: 'TASK_TIMEOUT', message: error.message }
  if (!(error instanceof Error)) {
    return { kind: 'userError', reason: 'TASK_THREW', message: `the task threw ${String(error)}, which is no Error` }
  }
  const { name: errorName, message, stack, cause } = error
  const unserializable = error instanceof UnserializableError
  return {
    ...(unserializable
      ? { kind: 'result', reason: 'RESULT_NOT_SERIALIZABLE' }
      : { kind: 'userError', reason: 'TASK_THREW' }),
    ...{ message, errorName },
    ...(stack ? { stack } : {}),
    ...(cause !== undefined && depth < maxCauses ? { cause: inlineFailureOf(cause, depth + 1) } : {}),
  }
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
