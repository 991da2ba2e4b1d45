import { isDeepStrictEqual } from 'node:util'

import { expect, test } from 'vitest'

import type { JobId, ObjectId, SessionId, WorkerId } from '#libs/domain'

import type { Fact, FactOf } from '../core/fact.js'
import type { TaskSpec } from '../core/job-spec.js'
import type { Outcome } from '../core/state.js'
import { factCodec } from './fact-codec.js'

const jobId = 'j-0123456789abcdef' as JobId

const settle = (outcome: Outcome, workerId: string | undefined = 'w-1'): FactOf<'taskSettled'> => ({
  kind: 'taskSettled',
  atMs: 1_700_000_000_123,
  jobId,
  index: 99_999,
  outcome,
  record: { attempt: 2, workerId: workerId as WorkerId | undefined, slot: 3, startedAtMs: 0.25, endedAtMs: 12.5 },
})

const taskOf = (input: number[], more: Partial<TaskSpec> = {}): TaskSpec => ({
  functionIndex: 0,
  input: Uint8Array.from(input),
  dependencies: [],
  name: 'f',
  timeoutMs: undefined,
  ...more,
})

const submitted = (tasks: readonly TaskSpec[]): FactOf<'jobSubmitted'> => ({
  kind: 'jobSubmitted',
  atMs: 1,
  requestId: 'r',
  sessionId: undefined,
  number: 7,
  job: { jobId, name: 'ünï', functions: [], tasks, seed: 2n ** 64n - 1n, trace: { traceparent: '00' }, detached: true },
})

const endless = { maxAttempts: { userError: Infinity }, firstDelayMs: 1, factor: 2, maxDelayMs: 3, jitter: 0.5 }

const readBack = (fact: Fact): Fact => factCodec.decode(factCodec.encode(fact))

test.each<[string, Fact]>([
  [
    'a scattered object',
    {
      kind: 'objectStored',
      objectId: 'o-1' as ObjectId,
      sessionId: 's-ü' as SessionId,
      descriptor: Uint8Array.of(1, 2),
      byteLength: 2 ** 40,
    },
  ],
  [
    'a scattered object of no session, with a long id',
    {
      kind: 'objectStored',
      objectId: 'o'.repeat(300) as ObjectId,
      sessionId: undefined,
      descriptor: Uint8Array.of(1, 2),
      byteLength: 0,
    },
  ],
  ['an object that was released', { kind: 'objectReleased', objectId: 'o-ü' as ObjectId }],
  ['an inline result', settle({ kind: 'finished', result: { kind: 'inline', payload: Uint8Array.of(1, 2, 3) } })],
  ['an empty result', settle({ kind: 'finished', result: { kind: 'inline', payload: new Uint8Array() } })],
  [
    'an object',
    settle({ kind: 'finished', result: { kind: 'object', descriptor: Uint8Array.of(9), byteLength: 2 ** 40 } }),
  ],
  [
    'a worker with a long name',
    settle({ kind: 'finished', result: { kind: 'inline', payload: Uint8Array.of(1) } }, 'ü'.repeat(300)),
  ],
  [
    'no worker',
    {
      ...settle({ kind: 'finished', result: { kind: 'inline', payload: Uint8Array.of(1) } }),
      record: { attempt: 0, workerId: undefined, slot: 0, startedAtMs: 0, endedAtMs: 0 },
    },
  ],
  [
    'a failure with its cause',
    settle({
      kind: 'failed',
      failure: { kind: 'input', reason: 'R', message: 'm', cause: { kind: 'userError', reason: 'S', message: 'n' } },
    }),
  ],
  [
    'a job',
    submitted([
      taskOf([1, 2]),
      taskOf([]),
      taskOf([3], { dependencies: [`${jobId}/0` as ObjectId] }),
      taskOf([4], { dependencies: [`${jobId}/0` as ObjectId], name: 'g', timeoutMs: 1.5 }),
    ]),
  ],
  ['a job without tasks', submitted([])],
  [
    'a job with a policy without limits and a deadline',
    {
      ...submitted([taskOf([1], { retryPolicy: 1 }), taskOf([2])]),
      job: {
        ...submitted([taskOf([1], { retryPolicy: 1 }), taskOf([2])]).job,
        retryPolicies: [endless],
        retry: endless,
        deadlineMs: 1_700_000_000_000.5,
        failFast: true,
      },
    },
  ],
  [
    'a failed attempt',
    {
      kind: 'attemptFailed',
      jobId,
      index: 3,
      epoch: 2,
      failed: {
        attempt: 1,
        workerId: 'w-1',
        startedAtMs: 0.5,
        endedAtMs: 2,
        kind: 'userError',
        reason: 'TASK_THREW',
        message: 'ünï',
      },
      charged: 'userError',
      over: true,
      retryAtMs: 1_700_000_000_123.25,
    },
  ],
  ['an epoch', { kind: 'epochRaised', epoch: 3 }],
])('%s is read back as it was', (_, fact) => {
  expect(readBack(fact)).toEqual(fact)
})

test('a task keeps fields that only some of the tasks have', () => {
  const tasks = [taskOf([1]), { ...taskOf([2]), priority: 3 }, taskOf([3]), { ...taskOf([4]), priority: 3 }]
  expect(readBack(submitted(tasks))).toEqual(submitted(tasks))
})

test('a settle is small', () => {
  const finished: Outcome = { kind: 'finished', result: { kind: 'inline', payload: new Uint8Array(8) } }
  expect(factCodec.encode(settle(finished)).byteLength).toBeLessThan(80)
})

test('a large job is split into bounded parts', () => {
  const tasks = Array.from({ length: 1_700 }, (_, k) => taskOf(Array(k < 20 ? 60_000 : 10).fill(k % 256) as number[]))
  const parts = [...(factCodec.split?.(submitted(tasks)) ?? [])].map(readBack)
  const sizes = parts.map((part) => factCodec.encode(part).byteLength)
  expect(Math.max(...sizes)).toBeLessThan(400_000)
  const [first, ...others] = parts as [FactOf<'jobSubmitted'>, ...FactOf<'tasksAdded'>[]]
  const all = [...first.job.tasks, ...others.flatMap((part) => part.tasks)]
  expect(isDeepStrictEqual(all, tasks)).toBe(true)
})

test('facts of other versions are refused by name', () => {
  const future = factCodec.encode({ kind: 'epochRaised', epoch: 1 })
  expect(() => factCodec.decode(Uint8Array.of(200, ...future))).toThrow('in format 200')
  expect(() => readBack({ kind: 'taskMoved' } as never)).toThrow("a fact 'taskMoved', which this version does not know")
})
