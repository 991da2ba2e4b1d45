import { expect, test } from 'vitest'

import type { TaskFailure, TaskId } from '#libs/domain'
import { ObjectDescriptor, TaskEnded } from '#libs/proto'

import type { EndOutcome } from '../core/state.js'
import { bytesOfEnd, endToWire, predecessorToWire } from './to-wire.js'

const long = 'ẋ'.repeat(8_000)
const failureWith = (cause?: TaskFailure): TaskFailure => ({
  kind: 'userError',
  reason: 'TASK_THREW',
  message: long,
  errorName: 'RangeError',
  stack: long,
  ...(cause ? { cause } : {}),
})

const descriptor = { ...ObjectDescriptor.fromPartial({}), objectId: 'j/0', structure: { kind: undefined } }
const outcomes: [string, EndOutcome][] = [
  ['a small result', { kind: 'payload', payload: Buffer.alloc(32 * 1024) }],
  ['an object', { kind: 'object', objectId: 'j/0' as never }],
  ['a failure', { kind: 'failed', failure: failureWith() }],
  ['a failure with causes', { kind: 'failed', failure: failureWith(failureWith(failureWith())) }],
]

test.each(outcomes)('the length of an end with %s is bounded before it is encoded', (_, outcome) => {
  const ref = { taskId: 'j/0' as TaskId, epoch: 2 ** 40, attempt: 7 }
  const end = { ref, outcome, startedAtMs: 1.5, endedAtMs: 2.5, slot: 3 }
  const real = TaskEnded.encode(endToWire(end, () => descriptor)).finish().byteLength
  const bound = bytesOfEnd(end, () => ObjectDescriptor.encode(descriptor).finish().byteLength)
  expect(bound).toBeGreaterThanOrEqual(real)
  expect(bound).toBeLessThan(2 * real + 1_000)
})

test('how a predecessor ended is said as its supervisor saw it', () => {
  expect(predecessorToWire({ id: 'w-1', exitCode: 7 })).toMatchObject({ workerId: 'w-1', exitCode: 7, signal: '' })
  const memory = { bytes: 96, limitBytes: 100 }
  expect(predecessorToWire({ id: 'w-1', signal: 'SIGKILL', memory })).toMatchObject({
    exitCode: undefined,
    signal: 'SIGKILL',
    memoryBytes: 96n,
    memoryLimitBytes: 100n,
  })
})
