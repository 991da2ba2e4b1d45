import type { FailedAttempt, TaskFailure } from '#libs/domain'
import { type FailedAttempt as WireFailedAttempt, type Failure, failureKindFromWire } from '#libs/proto'

/** A failure as it travels, as data of the domain. A kind that this side does not know counts as the user's. */
export function failureFromWire(failure: Failure): TaskFailure {
  return {
    kind: failureKindFromWire(failure.kind) ?? 'userError',
    reason: failure.reason,
    message: failure.message,
    attempts: failure.attempts,
    ...(failure.errorName ? { errorName: failure.errorName } : {}),
    ...(failure.stack ? { stack: failure.stack } : {}),
    ...(failure.workerId ? { workerId: failure.workerId } : {}),
    ...(failure.taskId ? { taskId: failure.taskId, taskName: failure.taskName } : {}),
    ...(failure.history.length > 0 ? { history: failure.history.map(attemptFromWire) } : {}),
    ...(failure.cause ? { cause: failureFromWire(failure.cause) } : {}),
  }
}

function attemptFromWire(attempt: WireFailedAttempt): FailedAttempt {
  const { workerId, startedAtMs, endedAtMs, reason, message } = attempt
  const kind = failureKindFromWire(attempt.kind) ?? 'userError'
  return { attempt: attempt.attempt, workerId, startedAtMs, endedAtMs, kind, reason, message }
}
