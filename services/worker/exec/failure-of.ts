import { inspect } from 'node:util'

import { BundleError } from '#libs/bundle'
import type { FailureKind, TaskFailure } from '#libs/domain'
import { SharedInputChangedError } from '#libs/submission'
import { CodecError, UnserializableError } from '#libs/value'

const maxStackChars = 8_000
const maxMessageChars = 4_000
const maxCauses = 5

/** What was thrown, as data. Stacks are mapped to the user's files by the runtime. */
export function failureOf(error: unknown, depth = 0): TaskFailure {
  if (!(error instanceof Error) && !isErrorLike(error)) {
    const message = `the task threw ${inspect(error, { depth: 2 })}, which is no Error`.slice(0, maxMessageChars)
    return { kind: 'userError', reason: 'TASK_THREW', message }
  }
  const { kind, reason } = classOf(error)
  return {
    kind,
    reason,
    message: error.message.slice(0, maxMessageChars),
    errorName: error.name,
    ...(error.stack ? { stack: userFrames(error.stack).slice(0, maxStackChars) } : {}),
    ...(error.cause !== undefined && depth < maxCauses ? { cause: failureOf(error.cause, depth + 1) } : {}),
  }
}

/** The frames above the task's own call: below it there is only the machinery of the worker. */
function userFrames(stack: string): string {
  const lines = stack.split('\n')
  const end = lines.findIndex((line) =>
    /[/\\](libs[/\\]task[/\\]task|exec[/\\]slot-task|exec[/\\]slot-main)\.c?[jt]s/.test(line),
  )
  return end < 0 ? stack : lines.slice(0, end).join('\n')
}

function classOf(error: Error): { kind: FailureKind; reason: string } {
  if (error instanceof UnserializableError) return { kind: 'result', reason: 'RESULT_NOT_SERIALIZABLE' }
  if (error instanceof CodecError) return { kind: 'input', reason: error.reason }
  if (error instanceof SharedInputChangedError) return { kind: 'userError', reason: 'SHARED_INPUT_CHANGED' }
  if (error instanceof BundleError) return { kind: 'bundle', reason: error.code }
  return { kind: 'userError', reason: 'TASK_THREW' }
}

/** An error of another realm. */
function isErrorLike(error: unknown): error is Error {
  return typeof error === 'object' && error !== null && 'message' in error && 'stack' in error && 'name' in error
}
