import { expect, test } from 'vitest'

import {
  Atom,
  ElementType,
  FailureKind,
  JobSpec as WireJobSpec,
  Payload,
  RetryPolicy,
  TaskSpec as WireTaskSpec,
  Value,
  WorkerHello,
} from '#libs/proto'
import { type RpcFailure, readRpcFailure } from '#libs/rpc'
import { encodePayload, encodeValue } from '#libs/value'

import { createState } from '../core/state.js'
import { attemptToDomain, endToDomain, jobToDomain, profileToDomain } from './to-domain.js'

const digest = 'a'.repeat(64)
const functions = [{ function: { $case: 'bundled', value: { bundleDigest: digest, taskName: 'f' } } }] as const

const argumentsOf = (...values: unknown[]): Buffer => Buffer.from(encodePayload(encodeValue(values, 'the arguments')))
const payloadOf = (root: Value['kind'], body = Buffer.alloc(0)): Buffer =>
  Buffer.from(Payload.encode({ root: { kind: { $case: 'list', value: { values: [{ kind: root }] } } }, body }).finish())
const referenceTo = (target: NonNullable<Extract<Value['kind'], { $case: 'reference' }>['value']['target']>): Buffer =>
  payloadOf({ $case: 'reference', value: { target } })
const tensorOf = (change: Partial<Extract<Value['kind'], { $case: 'tensor' }>['value']>, bodyBytes = 16): Buffer =>
  payloadOf(
    {
      $case: 'tensor',
      value: { elementType: ElementType.FLOAT64, shape: [2n], offset: 0n, byteLength: 16n, ...change },
    },
    Buffer.alloc(bodyBytes),
  )

function jobWith(task: Partial<WireTaskSpec>, change: Partial<WireJobSpec> = {}): WireJobSpec {
  const whole = { ...WireTaskSpec.fromPartial({}), input: argumentsOf(1), ...task }
  return { ...WireJobSpec.fromPartial({}), functions: [...functions], tasks: [whole], ...change }
}

function refusalOf(act: () => unknown): RpcFailure | undefined {
  try {
    act()
  } catch (error) {
    return readRpcFailure(error)
  }
  return undefined
}

const refusalOfJob = (job: WireJobSpec): RpcFailure | undefined => refusalOf(() => jobToDomain(createState(), job))

test('a job with everything', () => {
  const job = jobWith(
    { input: argumentsOf(new Float64Array(3)), name: 'n', timeout: { seconds: 1n, nanos: 500_000_000 } },
    { jobId: 'mine', name: 'sweep', seed: 7n, detached: true, trace: new Map([['traceparent', 'x']]) },
  )
  expect(jobToDomain(createState(), job)).toEqual({
    jobId: 'mine',
    name: 'sweep',
    functions: [{ bundleDigest: digest, taskName: 'f' }],
    tasks: [{ functionIndex: 0, input: job.tasks[0]?.input, dependencies: [], name: 'n', timeoutMs: 1_500 }],
    seed: 7n,
    trace: { traceparent: 'x' },
    detached: true,
  })
})

test('a job without an id gets one that can be one', () => {
  const { jobId } = jobToDomain(createState(), jobWith({}))
  expect(jobId).toMatch(/^j-[0-9a-f]{16}$/)
})

test('references are dependencies: of the job, of objects, each once, at any depth; blobs are not', () => {
  const reference = (target: object): Value => ({ kind: { $case: 'reference', value: { target } } }) as Value
  const inner = { $case: 'list', value: { values: [reference({ $case: 'taskIndex', value: 0 })] } } as const
  const blob = { digest, byteLength: 0n, structure: { kind: { $case: 'atom', value: Atom.NULL } } }
  const values = [
    reference({ $case: 'taskIndex', value: 0 }),
    { kind: inner },
    reference({ $case: 'objectId', value: 'o-1' }),
    reference({ $case: 'blob', value: blob }),
  ] as Value[]
  const input = Buffer.from(
    Payload.encode({ root: { kind: { $case: 'list', value: { values } } }, body: Buffer.alloc(0) }).finish(),
  )
  const job = jobToDomain(createState(), jobWith({ input }, { jobId: 'j' }))
  expect(job.tasks[0]?.dependencies).toEqual(['j/0', 'o-1'])
})

test.each([
  ['Upper', 'BAD_JOB_ID'],
  ['-first', 'BAD_JOB_ID'],
  ['a/b', 'BAD_JOB_ID'],
  ['a'.repeat(65), 'BAD_JOB_ID'],
])('the job id %s is refused', (jobId, reason) => {
  expect(refusalOfJob(jobWith({}, { jobId }))).toMatchObject({ code: 'INVALID_ARGUMENT', reason })
})

test.each<[string, Buffer, string]>([
  ['is no payload', Buffer.from([0xff, 0xff, 0xff]), 'malformed'],
  ['is empty', Buffer.alloc(0), 'the root must be the list of arguments'],
  ['is no list', Buffer.from(encodePayload(encodeValue(1, 'a value'))), 'the root must be the list of arguments'],
  ['holds a value without a kind', payloadOf(undefined), 'a value is empty'],
  ['holds a tensor of no element type', tensorOf({ elementType: ElementType.UNSPECIFIED }), 'unknown element type'],
  ['holds a tensor whose shape contradicts its length', tensorOf({ shape: [3n] }), 'needs 24 bytes, but says 16'],
  ['holds complex numbers of half the bytes', tensorOf({ elementType: ElementType.COMPLEX128 }), 'needs 32 bytes'],
  ['holds a tensor that ends behind its body', tensorOf({}, 8), 'do not lie'],
  ['holds a tensor at an odd place', tensorOf({ offset: 4n }, 32), 'at a multiple of 8'],
  ['holds a tensor of immense shape', tensorOf({ shape: [2n ** 63n, 2n ** 63n] }), 'needs'],
  ['holds a reference to nothing', payloadOf({ $case: 'reference', value: { target: undefined } }), 'names nothing'],
  [
    'holds a blob without a digest',
    referenceTo({ $case: 'blob', value: { digest: 'x', structure: undefined, byteLength: 0n } }),
    'no SHA-256 digest',
  ],
  [
    'holds a blob that refers on',
    referenceTo({
      $case: 'blob',
      value: {
        digest,
        byteLength: 0n,
        structure: { kind: { $case: 'reference', value: { target: { $case: 'objectId', value: 'o-1' } } } },
      },
    }),
    'refers to another object',
  ],
])('an input that %s is refused by field', (_what, input, says) => {
  const failure = refusalOfJob(jobWith({ input }))
  expect(failure).toMatchObject({ code: 'INVALID_ARGUMENT', reason: 'BAD_INPUT' })
  expect(failure?.message).toContain(says)
  expect(failure?.fieldViolations?.[0]?.field).toBe('job.tasks[0].input')
})

test('an input above 1 MiB is refused with advice', () => {
  const failure = refusalOfJob(jobWith({ input: Buffer.alloc(2 ** 20 + 1) }))
  expect(failure).toMatchObject({ code: 'INVALID_ARGUMENT', reason: 'INPUT_TOO_LARGE' })
  expect(failure?.message).toContain('checkpoint-store')
})

test('an input of exactly 1 MiB is taken', () => {
  const room = 2 ** 20 - argumentsOf(new Uint8Array(2 ** 20 - 256)).byteLength
  const input = argumentsOf(new Uint8Array(2 ** 20 - 256 + room))
  expect(input.byteLength).toBe(2 ** 20)
  expect(refusalOfJob(jobWith({ input }))).toBeUndefined()
})

test.each([
  { seconds: 0n, nanos: 0 },
  { seconds: -1n, nanos: 0 },
])('a timeout of $seconds seconds is refused', (timeout) => {
  expect(refusalOfJob(jobWith({ timeout }))).toMatchObject({ code: 'INVALID_ARGUMENT', reason: 'BAD_TIMEOUT' })
})

test('a job without tasks is refused', () => {
  expect(refusalOfJob(jobWith({}, { tasks: [] }))).toMatchObject({ reason: 'NO_TASKS' })
})

test.each([
  ['empty', { function: undefined }, 'INVALID_ARGUMENT', 'NO_FUNCTION'],
  [
    'of a bundle without a digest',
    { function: { $case: 'bundled', value: { bundleDigest: 'A'.repeat(64), taskName: 'f' } } },
    'INVALID_ARGUMENT',
    'BAD_FUNCTION',
  ],
  [
    'without a name',
    { function: { $case: 'bundled', value: { bundleDigest: digest, taskName: '' } } },
    'INVALID_ARGUMENT',
    'BAD_FUNCTION',
  ],
  [
    'not registered',
    { function: { $case: 'registered', value: { name: 'solve', version: '' } } },
    'NOT_FOUND',
    'TASK_NOT_REGISTERED',
  ],
])('a function that is %s is refused', (_what, ref, code, reason) => {
  const job = jobWith({}, { functions: [ref as WireJobSpec['functions'][number]] })
  expect(refusalOfJob(job)).toMatchObject({ code, reason })
})

test('a registered function is found by version, and without one the last that was registered', () => {
  const state = createState()
  for (const version of ['1', '2'])
    state.registeredTasks.set(`solve@${version}`, { bundleDigest: digest, taskName: `v${version}` })
  state.registeredTasks.set('solve-more@9', { bundleDigest: digest, taskName: 'other' })
  const called = (version: string): string | undefined => {
    const ref = { function: { $case: 'registered', value: { name: 'solve', version } } } as const
    return jobToDomain(state, jobWith({}, { functions: [ref] })).functions[0]?.taskName
  }
  expect([called('1'), called('')]).toEqual(['v1', 'v2'])
  expect(refusalOf(() => called('3'))?.message).toContain('known: solve@1, solve@2')
})

test.each([
  [
    'functions',
    { functions: Array.from({ length: 10_001 }, () => functions[0]) },
    'TOO_MANY_FUNCTIONS',
    'job.functions',
  ],
  ['trace', { trace: { baggage: 'x'.repeat(8_192) } }, 'TRACE_TOO_LARGE', 'job.trace'],
])('too many %s are refused', (_what, change, reason, field) => {
  const job = WireJobSpec.fromPartial({ functions: [...functions], tasks: [{ input: argumentsOf(1) }] })
  const trace = new Map(Object.entries('trace' in change ? change.trace : {}))
  const wire = { ...job, ...('functions' in change ? { functions: change.functions as never } : {}), trace }
  const refusal = refusalOf(() => jobToDomain(createState(), wire))
  expect(refusal).toMatchObject({ code: 'INVALID_ARGUMENT', reason, fieldViolations: [{ field }] })
})

test.each([
  ['without an id', { workerId: '', slots: 1, addresses: ['a:1'] }],
  ['with too many slots', { workerId: 'w', slots: 4_097, addresses: ['a:1'] }],
  ['without an address', { workerId: 'w', slots: 1, addresses: [] }],
])('a worker %s is refused', (_what, hello) => {
  expect(refusalOf(() => profileToDomain(WorkerHello.fromPartial(hello)))).toMatchObject({ reason: 'BAD_WORKER' })
})

test.each(['', 'j', 'j/', 'j/-1', 'j/01', 'J/1', 'j/99999999999'])('the task id %o names no task', (taskId) => {
  expect(attemptToDomain({ taskId, epoch: 1n, attempt: 1, running: true, behind: [] })).toBeUndefined()
})

test('an end without an outcome or an attempt is none', () => {
  const attempt = { taskId: 'j/0', epoch: 1n, attempt: 1, running: true, behind: [] }
  const times = { startedAtMs: 1, endedAtMs: 2, slot: 0, savedCheckpoint: true }
  expect(endToDomain({ attempt, outcome: undefined, ...times })).toBeUndefined()
  const payload = { $case: 'payload', value: Buffer.from([1]) } as const
  expect(endToDomain({ attempt: undefined, outcome: payload, ...times })).toBeUndefined()
  expect(endToDomain({ attempt, outcome: payload, ...times })).toMatchObject({
    ...{ jobId: 'j', index: 0, attempt: 1, savedCheckpoint: true },
  })
})

test('how a job may end: retries, deadline, failing fast', () => {
  const job = jobWith(
    {},
    {
      retry: {
        limits: [
          { kind: FailureKind.USER_ERROR, maxAttempts: 3 },
          { kind: FailureKind.TIMEOUT, maxAttempts: 0 },
        ],
        firstDelay: { seconds: 2n, nanos: 0 },
        factor: 0,
        maxDelay: undefined,
        jitter: undefined,
        budget: 7,
      },
      deadline: { seconds: 100n, nanos: 500_000_000 },
      failFast: true,
    },
  )
  expect(jobToDomain(createState(), job)).toMatchObject({
    retry: {
      maxAttempts: { userError: 3, timeout: Infinity },
      firstDelayMs: 2_000,
      factor: 2,
      maxDelayMs: 60_000,
      jitter: 0.2,
      budget: 7,
    },
    deadlineMs: 100_500,
    failFast: true,
  })
})

test('tasks may have retry policies of their own', () => {
  const policy = RetryPolicy.fromPartial({ limits: [{ kind: FailureKind.USER_ERROR, maxAttempts: 3 }] })
  const job = (retryPolicy: number, retryPolicies = [policy], more: Partial<WireJobSpec> = {}): WireJobSpec =>
    jobWith({ retryPolicy }, { retryPolicies, ...more })
  const taken = jobToDomain(createState(), job(1))
  expect(taken.retryPolicies).toMatchObject([{ maxAttempts: { userError: 3 }, firstDelayMs: 1_000 }])
  expect(taken.tasks[0]).toMatchObject({ retryPolicy: 1 })
  expect(jobToDomain(createState(), job(0)).tasks[0]).not.toHaveProperty('retryPolicy')
  expect(refusalOfJob(job(2))).toMatchObject({ reason: 'UNKNOWN_RETRY_POLICY' })
  expect(refusalOfJob(job(1, [{ ...policy, budget: 1 }]))).toMatchObject({ reason: 'BAD_RETRY' })
  expect(
    refusalOfJob(
      job(
        1,
        Array.from({ length: 1_001 }, () => policy),
      ),
    ),
  ).toMatchObject({
    reason: 'TOO_MANY_RETRY_POLICIES',
  })
  const endless = RetryPolicy.fromPartial({ limits: [{ kind: FailureKind.USER_ERROR, maxAttempts: 0 }] })
  expect(refusalOfJob(job(1, [endless]))).toMatchObject({
    reason: 'ENDLESS_RETRIES',
    fieldViolations: [{ field: 'job.retry_policies[0]' }],
  })
  expect(refusalOfJob(job(1, [endless], { retry: RetryPolicy.fromPartial({ budget: 9 }) }))).toBeUndefined()
})

test('retries that cannot end, or make no sense, are refused with what to set', () => {
  const refusalOfRetry = (change: Partial<RetryPolicy>, job: Partial<WireJobSpec> = {}): RpcFailure | undefined =>
    refusalOfJob(jobWith({}, { retry: { ...RetryPolicy.fromPartial({}), ...change }, ...job }))
  const endless = [{ kind: FailureKind.USER_ERROR, maxAttempts: 0 }]
  expect(refusalOfRetry({ limits: endless })).toMatchObject({ code: 'INVALID_ARGUMENT', reason: 'ENDLESS_RETRIES' })
  expect(refusalOfRetry({ limits: endless })?.message).toMatch(/userError have no limit.*deadline/)
  expect(refusalOfRetry({ limits: endless }, { deadline: { seconds: 1n, nanos: 0 } })).toBeUndefined()
  const wrong: Partial<RetryPolicy>[] = [
    { factor: 0.5 },
    { factor: NaN },
    { jitter: 1.5 },
    { firstDelay: { seconds: -1n, nanos: 0 } },
    { maxDelay: { seconds: 100_000n, nanos: 0 } },
    { limits: [{ kind: FailureKind.CANCELLED, maxAttempts: 2 }] },
    { limits: [{ kind: FailureKind.UNSPECIFIED, maxAttempts: 2 }] },
    { limits: [...endless, ...endless] },
  ]
  for (const retry of wrong) expect(refusalOfRetry(retry)).toMatchObject({ reason: 'BAD_RETRY' })
  const never = { seconds: 1n << 60n, nanos: 0 }
  expect(refusalOfJob(jobWith({}, { deadline: never }))).toMatchObject({ reason: 'BAD_DEADLINE' })
})
