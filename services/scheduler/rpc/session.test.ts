import { afterEach, beforeEach, expect, test } from 'vitest'

import {
  Failure,
  FailureKind,
  type FunctionRef,
  JobSpec,
  makeHello,
  Payload,
  type SessionRequest,
  SessionResponse,
  type TaskEnded,
  TaskSpec,
  type Value,
} from '#libs/proto'
import { readRpcFailure } from '#libs/rpc'
import { encodePayload, encodeValue } from '#libs/value'

import { quiet, type Rim, sessionIdOf, startRim } from '../testing/rim.js'

let rim: Rim
beforeEach(async () => {
  rim = await startRim()
})
afterEach(async () => rim.loop.stop())

type Told = NonNullable<SessionResponse['message']>

const session1 = sessionIdOf(1)
const request = sessionIdOf(100)
const argumentsOf = (...values: unknown[]): Buffer => Buffer.from(encodePayload(encodeValue(values, 'the arguments')))
const bundled: FunctionRef = {
  function: { $case: 'bundled', value: { bundleDigest: 'a'.repeat(64), taskName: 'f' } },
}

const tasks = (count: number, change: Partial<TaskSpec> = {}): TaskSpec[] =>
  Array.from({ length: count }, () => ({ ...TaskSpec.fromPartial({}), input: argumentsOf(1), ...change }))

const submitOf = (
  specs: TaskSpec[],
  more = false,
  change: Partial<JobSpec> = {},
  requestId: string = request,
): NonNullable<SessionRequest['message']> => ({
  $case: 'submit',
  value: {
    requestId,
    more,
    job: { ...JobSpec.fromPartial({}), jobId: 'j', functions: [bundled], tasks: specs, ...change },
  },
})

/** A task that takes the result of another one. */
const taskOn = (objectId: string): TaskSpec => {
  const reference: Value = { kind: { $case: 'reference', value: { target: { $case: 'objectId', value: objectId } } } }
  const root: Value = { kind: { $case: 'list', value: { values: [reference] } } }
  return { ...TaskSpec.fromPartial({}), input: Buffer.from(Payload.encode({ root, body: Buffer.alloc(0) }).finish()) }
}

const endOf = (taskId: string, payload: Buffer, attempt = 1): TaskEnded => ({
  attempt: { taskId, epoch: 1n, attempt, running: false, behind: [] },
  outcome: { $case: 'payload', value: payload },
  startedAtMs: 1,
  endedAtMs: 2,
  savedCheckpoint: false,
  slot: 0,
})

const kinds = (told: readonly Told[]): string[] => told.map(({ $case }) => $case)

test('a submit is acknowledged before its settles are told, also when they come at once', async () => {
  const link = rim.openLink({ workerId: 'w1' })
  const session = rim.openSession(session1)
  session.say(submitOf(tasks(1), false, { jobId: 'first' }))
  await quiet()
  const failure = { ...Failure.fromPartial({}), kind: FailureKind.USER_ERROR, message: 'boom' }
  const failed: TaskEnded = { ...endOf('first/0', Buffer.alloc(0)), outcome: { $case: 'failure', value: failure } }
  link.say({ $case: 'tasksEnded', value: { started: [], tasks: [failed] } })
  await quiet()
  expect(kinds(session.heard())).toEqual(['welcome', 'submitted', 'settled', 'jobUpdated'])
  // Its input has failed: it is settled by the submit itself.
  session.say(submitOf([taskOn('first/0')], false, {}, sessionIdOf(101)))
  await quiet()
  expect(kinds(session.heard())).toEqual(['submitted', 'settled', 'jobUpdated'])
})

test('a job that comes in parts is submitted whole with the last', async () => {
  const session = rim.openSession(session1)
  session.say(submitOf(tasks(2), true))
  session.say(submitOf(tasks(2), true, { functions: [] }))
  await quiet()
  expect(rim.state.jobs.size).toBe(0)
  session.say(submitOf(tasks(1), false, { functions: [] }))
  await quiet()
  expect(kinds(session.heard())).toEqual(['welcome', 'submitted'])
  expect([...rim.state.jobs.values()].map((job) => job.tasks.length)).toEqual([5])
})

test.each([
  ['first', 0],
  ['middle', 1],
  ['last', 2],
])('a job whose %s part is malformed is refused once, and nothing of it is submitted', async (_which, bad) => {
  const session = rim.openSession(session1)
  for (let part = 0; part < 3; part++) {
    session.say(submitOf(tasks(2, part === bad ? { input: Buffer.from([1]) } : {}), part < 2))
  }
  await quiet()
  expect(kinds(session.heard())).toEqual(['welcome', 'refused'])
  expect(rim.state.jobs.size).toBe(0)
  session.say(submitOf(tasks(2)))
  await quiet()
  expect(kinds(session.heard())).toEqual(['submitted'])
})

test('a refusal names the request, and the session goes on', async () => {
  const session = rim.openSession(session1)
  const messages: NonNullable<SessionRequest['message']>[] = [
    submitOf(tasks(1, { function: 3 })),
    { $case: 'follow', value: { jobId: 'unknown' } },
    { $case: 'cancel', value: { jobId: 'unknown', indices: [] } },
    submitOf(tasks(1)),
  ]
  for (const message of messages) {
    session.say(message)
    await quiet()
  }
  expect(session.heard().slice(1)).toMatchObject([
    { $case: 'refused', value: { requestId: request, code: 3, reason: 'UNKNOWN_FUNCTION' } },
    { $case: 'refused', value: { requestId: 'unknown', code: 5, reason: 'JOB_NOT_FOUND' } },
    { $case: 'refused', value: { requestId: 'unknown', code: 5, reason: 'JOB_NOT_FOUND' } },
    { $case: 'submitted', value: { requestId: request, receipt: { jobId: 'j' } } },
  ])
})

test('a session that is taken up replaces its stream, asks for what it missed, and loses nothing', async () => {
  const link = rim.openLink({ workerId: 'w1' })
  const first = rim.openSession(session1)
  first.say(submitOf(tasks(2)))
  await quiet()
  const second = rim.openSession(session1.toUpperCase())
  await first.ended
  link.say({ $case: 'tasksEnded', value: { started: [], tasks: [endOf('j/0', argumentsOf(1))] } })
  second.say({ $case: 'follow', value: { jobId: 'j' } })
  await quiet()
  const settles = second.heard().flatMap((told) => (told.$case === 'settled' ? told.value.tasks : []))
  expect(settles.map(({ index }) => index)).toEqual([0])
  expect(rim.state.sessions.get(session1)?.goneSinceMs).toBeUndefined()
  second.cut()
  await quiet()
  expect(rim.state.sessions.get(session1)?.goneSinceMs).toBe(1_000_000)
})

test('settles come in messages that fit, however large the results', async () => {
  const link = rim.openLink({ workerId: 'w1', slots: 1_000 })
  const session = rim.openSession(session1)
  session.say(submitOf(tasks(1_000)))
  await quiet()
  const payload = Buffer.alloc(32 * 1_024)
  link.say({
    $case: 'tasksEnded',
    value: { started: [], tasks: Array.from({ length: 1_000 }, (_, i) => endOf(`j/${i}`, payload)) },
  })
  await quiet()
  const settled = session.heard().filter(({ $case }) => $case === 'settled')
  expect(settled.length).toBeGreaterThan(7)
  for (const message of settled) {
    expect(SessionResponse.encode({ message }).finish().byteLength).toBeLessThan(5 * 2 ** 20)
  }
  expect(settled.flatMap((told) => (told.$case === 'settled' ? told.value.tasks : []))).toHaveLength(1_000)
})

test('a stream that does not begin with a hello, or with one of another protocol, is refused', async () => {
  const wrong = rim.openSession('no UUID')
  await expect(wrong.ended.catch((error: unknown) => readRpcFailure(error))).resolves.toMatchObject({
    reason: 'BAD_REQUEST_ID',
  })
  const requests = (message: object) =>
    (async function* () {
      yield { message }
    })()
  const answerTo = async (message: object): Promise<unknown> => {
    try {
      const context = { signal: new AbortController().signal }
      for await (const _ of rim.service.session(requests(message) as never, context as never)) return 'welcome'
    } catch (error) {
      return readRpcFailure(error)
    }
    return 'nothing'
  }
  expect(await answerTo({ $case: 'heartbeat', value: {} })).toMatchObject({
    code: 'INVALID_ARGUMENT',
    reason: 'NO_HELLO',
  })
  const old = { hello: { ...makeHello(), protocolVersion: 0 }, sessionId: session1, clientName: 'old' }
  expect(await answerTo({ $case: 'hello', value: old })).toMatchObject({
    code: 'FAILED_PRECONDITION',
    reason: 'PROTOCOL_MISMATCH',
    message: expect.stringContaining('upgrade client old') as string,
  })
})

test('a refusal says on the session what it says to a unary call', async () => {
  const session = rim.openSession(session1)
  session.say(submitOf([taskOn('o-unknown')]))
  await quiet()
  const refused = session.heard().find(({ $case }) => $case === 'refused')
  expect(refused).toMatchObject({
    value: {
      reason: 'UNKNOWN_INPUT',
      metadata: new Map([['objectId', 'o-unknown']]),
      retryDelay: undefined,
      fieldViolations: [{ field: 'job.tasks[0].input' }],
    },
  })
})

test('a session has at most sixteen jobs on their way in parts', async () => {
  const session = rim.openSession(session1)
  for (let i = 0; i < 17; i++) session.say(submitOf(tasks(1), true, { jobId: `j${i}` }, sessionIdOf(200 + i)))
  await quiet()
  expect(session.heard().slice(1)).toMatchObject([
    {
      $case: 'refused',
      value: { requestId: sessionIdOf(216), code: 8, reason: 'TOO_MANY_PARTS', retryDelay: { seconds: 1n } },
    },
  ])
  // The rest of the refused job is not heard, that of the others is.
  for (const i of [16, 0]) session.say(submitOf(tasks(1), false, { jobId: `j${i}` }, sessionIdOf(200 + i)))
  await quiet()
  expect(kinds(session.heard())).toEqual(['submitted'])
  expect([...rim.state.jobs.keys()]).toEqual(['j0'])
})

test('the jobs on their way in parts take at most 1 GiB together', async () => {
  const session = rim.openSession(session1)
  // One array for all: what counts is what would be kept for each.
  const large = tasks(120, { input: argumentsOf(new Uint8Array(2 ** 20 - 64)) })
  for (let i = 0; i < 9; i++) session.say(submitOf(large, true, { jobId: `j${i}` }, sessionIdOf(200 + i)))
  await quiet()
  expect(session.heard().slice(1)).toMatchObject([{ value: { requestId: sessionIdOf(208), reason: 'TOO_MANY_PARTS' } }])
})

test('a client that does not read is cut off when much waits for it, and the others are not', async () => {
  const slow = rim.openStuckSession(session1)
  const quick = rim.openSession(sessionIdOf(2))
  const link = rim.openLink({ workerId: 'w1', slots: 8 })
  await quiet()
  const count = 12
  const sessions = [slow, quick]
  for (const [i, session] of sessions.entries())
    session.say(submitOf(tasks(count), false, { jobId: `j${i}` }, sessionIdOf(300 + i)))
  await quiet()
  const payload = Buffer.alloc(8 * 2 ** 20)
  for (let index = 0; index < count; index++) {
    rim.time.nowMs += 2_000
    for (const i of [0, 1])
      link.say({ $case: 'tasksEnded', value: { started: [], tasks: [endOf(`j${i}/${index}`, payload)] } })
    await quiet()
  }
  expect(rim.peers.sessions.has(session1)).toBe(false)
  expect(rim.peers.sessions.has(sessionIdOf(2))).toBe(true)
  expect(rim.state.sessions.get(session1)?.goneSinceMs).toBeDefined()
  expect(await slow.read().catch(readRpcFailure)).toMatchObject({ code: 'UNAVAILABLE', reason: 'SLOW_READER' })
})
