import { expect, test } from 'vitest'

import { packEnds, packTasks, unpackEnds, unpackTasks } from './slot-columns.js'
import type { SlotCall, SlotEnd, SlotTask } from './slot-messages.js'

const call: SlotCall = {
  kind: 'f',
  jobId: 'j',
  seed: 1n,
  bundlePath: '/b',
  bundleDigest: 'd',
  taskName: 'f',
  verifyInputs: false,
}
const bytes = (...values: number[]): Uint8Array => Uint8Array.from(values)

const task = (index: number, input: Uint8Array, rest: Partial<SlotTask> = {}): SlotTask => ({
  key: `j/${index}@1.1`,
  taskId: `j/${index}`,
  index,
  attempt: 1,
  call,
  input,
  inputs: new Map(),
  trace: {},
  timeoutMs: undefined,
  deadlineMs: undefined,
  isDoubtful: false,
  isUrgent: false,
  claim: index,
  devices: [],
  ...rest,
})

test('tasks arrive as they were sent, what they have in common as one', () => {
  const fetched = new Map([['k/0', { kind: 'payload', payload: bytes(7) } as const]])
  const tasks = [
    task(0, bytes(1, 2, 3)),
    task(1, bytes()),
    task(2, bytes(4).subarray(0), {
      inputs: fetched,
      awaited: [{ objectId: 'j/1', key: 'j/1@1.1' }],
      trace: { traceparent: 'p' },
      timeoutMs: 5,
      devices: [1, 0],
    }),
    task(3, bytes(0, 5, 6, 0).subarray(1, 3), {
      deadlineMs: 9,
      isDoubtful: true,
      isUrgent: true,
      attempt: 4,
      call: { ...call, kind: 'g' },
    }),
  ]
  const arrived = unpackTasks(structuredClone(packTasks(tasks)))
  expect(arrived).toEqual(tasks)
  expect(arrived[1]?.call).toBe(arrived[0]?.call)
})

test('ends arrive as they were sent, whichever way the tasks ended', () => {
  const ends: SlotEnd[] = [
    { key: 'a', outcome: { kind: 'payload', payload: bytes(1, 2) }, startedAtMs: 1.5, endedAtMs: 2 },
    {
      key: 'b',
      outcome: { kind: 'failed', failure: { kind: 'userError', reason: 'TASK_FAILED', message: 'no' } },
      startedAtMs: 2,
      endedAtMs: 3,
    },
    { key: 'c', outcome: { kind: 'payload', payload: bytes() }, startedAtMs: 3, endedAtMs: 4 },
    {
      key: 'd',
      outcome: { kind: 'body', structure: { kind: undefined }, bytes: new Uint8Array([9, 9]) },
      startedAtMs: 4,
      endedAtMs: 5,
    },
    { key: 'e', outcome: { kind: 'payload', payload: bytes(3) }, startedAtMs: 5, endedAtMs: 6 },
  ]
  expect(unpackEnds(structuredClone(packEnds(ends)))).toEqual(ends)
})
