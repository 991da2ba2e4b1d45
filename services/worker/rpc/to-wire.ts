import type { TaskFailure } from '#libs/domain'
import type { PredecessorEnd } from '#libs/lifecycle'
import {
  type AttemptRef as WireAttemptRef,
  type Failure,
  type ObjectDescriptor,
  type TaskEnded,
  type WorkerEnd,
  failureKindToWire,
} from '#libs/proto'

import type { AttemptEnd, AttemptRef, EndOutcome, ParkedStatus } from '../core/state.js'

/** What an end takes beside its task's id and its outcome. */
const bytesPerEnd = 128

/** An attempt with the wait that it is in. */
export function waitToWire(ref: AttemptRef, wait: number, waitOver: boolean): WireAttemptRef {
  return { ...attemptToWire(ref, true), wait, waitOver }
}

const noRefs: WireAttemptRef[] = []

export function attemptToWire({ taskId, epoch, attempt }: AttemptRef, running = false): WireAttemptRef {
  return { taskId, epoch: BigInt(epoch), attempt, running, behind: noRefs }
}

/** An attempt as an inventory lists it, with the wait that it is in, if it is parked. */
export function listedToWire(
  ref: AttemptRef,
  running: boolean,
  behind?: readonly AttemptRef[],
  parked?: Pick<ParkedStatus, 'wait' | 'isOver'>,
): WireAttemptRef {
  const listed = parked ? waitToWire(ref, parked.wait, parked.isOver) : attemptToWire(ref, running)
  return behind ? { ...listed, behind: behind.map((input) => attemptToWire(input)) } : listed
}

export function failureToWire(failure: TaskFailure): Failure {
  return {
    kind: failureKindToWire(failure.kind),
    reason: failure.reason,
    message: failure.message,
    errorName: failure.errorName ?? '',
    stack: failure.stack ?? '',
    workerId: failure.workerId ?? '',
    attempts: failure.attempts ?? 0,
    // The scheduler knows the attempts before.
    history: [],
    cause: failure.cause && failureToWire(failure.cause),
    taskId: failure.taskId ?? '',
    taskName: failure.taskName ?? '',
  }
}

/** How the process ended in whose place this one was started. */
export function predecessorToWire({ id, exitCode, signal, memory }: PredecessorEnd): WorkerEnd {
  return {
    workerId: id,
    exitCode,
    signal: signal ?? '',
    memoryBytes: BigInt(memory?.bytes ?? 0),
    memoryLimitBytes: BigInt(memory?.limitBytes ?? 0),
  }
}

/** At most how many bytes an end takes in a message. */
export function bytesOfEnd({ ref, outcome }: AttemptEnd, descriptorBytesOf: (objectId: string) => number): number {
  const bytes = ref.taskId.length + bytesPerEnd
  switch (outcome.kind) {
    case 'payload':
      return bytes + outcome.payload.byteLength
    case 'object':
      return bytes + descriptorBytesOf(outcome.objectId)
    case 'failed':
      return bytes + bytesOfFailure(outcome.failure)
    default:
      return outcome satisfies never
  }
}

/** A UTF-16 unit takes at most three bytes. */
function bytesOfFailure({ message, stack = '', errorName = '', cause }: TaskFailure): number {
  return 3 * (message.length + stack.length + errorName.length) + 64 + (cause ? bytesOfFailure(cause) : 0)
}

/** An end with the description of its object, when it has one. */
export function endToWire(
  end: AttemptEnd,
  describe: (objectId: string) => ObjectDescriptor | undefined,
  fetchMs?: number,
): TaskEnded {
  const { ref, startedAtMs, endedAtMs, slot, savedCheckpoint = false } = end
  const outcome = outcomeToWire(end.outcome, describe)
  const attempt = attemptToWire(ref)
  return { attempt, startedAtMs, endedAtMs, slot, savedCheckpoint, outcome, ...(fetchMs && { fetchMs }) }
}

function outcomeToWire(
  outcome: EndOutcome,
  describe: (objectId: string) => ObjectDescriptor | undefined,
): NonNullable<TaskEnded['outcome']> {
  switch (outcome.kind) {
    case 'payload':
      return { $case: 'payload', value: outcome.payload as Buffer }
    case 'object': {
      const descriptor = describe(outcome.objectId)
      if (descriptor) return { $case: 'object', value: descriptor }
      const message = `the result ${outcome.objectId} was released before it was reported`
      return { $case: 'failure', value: failureToWire({ kind: 'input', reason: 'INPUT_UNAVAILABLE', message }) }
    }
    case 'failed':
      return { $case: 'failure', value: failureToWire(outcome.failure) }
    default:
      return outcome satisfies never
  }
}
