import type { FailureKind as DomainFailureKind, TaskFailure } from '#libs/domain'
import {
  type AttemptRef as WireAttemptRef,
  type Failure,
  FailureKind,
  type ObjectDescriptor,
  type TaskEnded,
} from '#libs/proto'

import type { AttemptEnd, AttemptRef } from '../core/state.js'

const failureKinds: Readonly<Record<DomainFailureKind, FailureKind>> = {
  userError: FailureKind.USER_ERROR,
  workerLost: FailureKind.WORKER_LOST,
  timeout: FailureKind.TIMEOUT,
  cancelled: FailureKind.CANCELLED,
  outOfMemory: FailureKind.OUT_OF_MEMORY,
  bundle: FailureKind.BUNDLE,
  input: FailureKind.INPUT,
  result: FailureKind.RESULT,
}

export function attemptToWire({ taskId, epoch, attempt }: AttemptRef, running = false): WireAttemptRef {
  return { taskId, epoch: BigInt(epoch), attempt, running }
}

export function failureToWire(failure: TaskFailure): Failure {
  return {
    kind: failureKinds[failure.kind],
    reason: failure.reason,
    message: failure.message,
    errorName: failure.errorName ?? '',
    stack: failure.stack ?? '',
    workerId: failure.workerId ?? '',
    attempts: failure.attempts ?? 0,
    cause: failure.cause && failureToWire(failure.cause),
  }
}

/** An end with the description of its object, when it has one. */
export function endToWire(end: AttemptEnd, describe: (objectId: string) => ObjectDescriptor | undefined): TaskEnded {
  const { ref, outcome, startedAtMs, endedAtMs, slot } = end
  const attempt = attemptToWire(ref)
  switch (outcome.kind) {
    case 'payload':
      return { attempt, startedAtMs, endedAtMs, slot, outcome: { $case: 'payload', value: outcome.payload as Buffer } }
    case 'object': {
      const descriptor = describe(outcome.objectId)
      if (descriptor) return { attempt, startedAtMs, endedAtMs, slot, outcome: { $case: 'object', value: descriptor } }
      const message = `the result ${outcome.objectId} was released before it was reported`
      const failure = failureToWire({ kind: 'input', reason: 'INPUT_UNAVAILABLE', message })
      return { attempt, startedAtMs, endedAtMs, slot, outcome: { $case: 'failure', value: failure } }
    }
    case 'failed':
      return {
        attempt,
        startedAtMs,
        endedAtMs,
        slot,
        outcome: { $case: 'failure', value: failureToWire(outcome.failure) },
      }
    default:
      return outcome satisfies never
  }
}
