import { expect, test } from 'vitest'

import { retryDelayMs } from '#libs/domain'

import { createMesh, type Mesh } from './testing/mesh.js'

/** When the task was sent to a worker, in milliseconds since the one before; it fails each time. */
function gapsOf(mesh: Mesh, name: string, failures: number): number[] {
  const gaps: number[] = []
  for (let i = 0; i < failures; i++) {
    mesh.fail(name)
    const failedAtMs = mesh.nowMs
    while (mesh.status(name).startsWith('is delayed')) mesh.pass(100)
    gaps.push(mesh.nowMs - failedAtMs)
  }
  return gaps
}

test('a task that throws is not tried again unless somebody asks for it', () => {
  const mesh = createMesh()
  mesh.workers(1)
  mesh.submit(['a'])
  mesh.fail('a')
  expect(mesh.status('a')).toBe('failed: userError TASK_THREW')
  expect(mesh.failure('a').history).toBeUndefined()
})

test('the gaps between attempts follow the backoff, up to its longest', () => {
  const mesh = createMesh()
  mesh.workers(1)
  const retry = { maxAttempts: { userError: 6 }, firstDelayMs: 1_000, factor: 2, maxDelayMs: 5_000 }
  mesh.submit(['a'], { retry })
  expect(gapsOf(mesh, 'a', 5)).toEqual([1_000, 2_000, 4_000, 5_000, 5_000])
  expect(mesh.ref('a').attempt).toBe(6)
  mesh.fail('a')
  expect(mesh.status('a')).toBe('failed: userError TASK_THREW')
})

test("a task's own policy counts before its job's; the budget is the job's", () => {
  const mesh = createMesh()
  mesh.workers(4)
  const retries = {
    careful: { maxAttempts: { userError: 1 } },
    stubborn: { maxAttempts: { userError: 9 }, firstDelayMs: 500 },
  }
  mesh.submit(['usual', 'careful', 'stubborn'], { retry: { maxAttempts: { userError: 2 }, budget: 4 }, retries })
  expect(gapsOf(mesh, 'usual', 1)).toEqual([1_000])
  expect(gapsOf(mesh, 'stubborn', 3)).toEqual([500, 500, 500])
  for (const name of ['usual', 'careful', 'stubborn']) mesh.fail(name)
  expect(['usual', 'careful', 'stubborn'].map((name) => mesh.failure(name).history?.length)).toEqual([2, undefined, 4])
})

test('of a task with a policy of its own inputs are fetched as often as that says', () => {
  const mesh = createMesh()
  mesh.workers(1)
  mesh.submit(['a', 'b'], { retries: { b: { maxAttempts: { input: 1 } } } })
  mesh.finish('a')
  mesh.missInputs('b')
  expect(mesh.status('b')).toBe('failed: input INPUT_UNAVAILABLE')
})

test('jitter comes from the job, its seed and the task: the same history gives the same waits', () => {
  const retry = { maxAttempts: { userError: 9 }, firstDelayMs: 1_000, factor: 1, maxDelayMs: 60_000, jitter: 1 }
  const mesh = createMesh()
  mesh.workers(2)
  const jobId = mesh.submit(['a', 'b'], { retry })
  mesh.fail('a')
  mesh.fail('b')
  const untilMs = (index: number): number => mesh.nowMs + retryDelayMs(retry, 1, { jobId, seed: 0n, index })
  expect(mesh.task('a').status).toMatchObject({ kind: 'delayed', why: 'retry', untilMs: untilMs(0) })
  expect(mesh.task('b').status).toMatchObject({ kind: 'delayed', why: 'retry', untilMs: untilMs(1) })
  expect(untilMs(0)).not.toBe(untilMs(1))
})

test('a task that waits for its next attempt holds no slot', () => {
  const mesh = createMesh()
  mesh.workers(1)
  mesh.submit(['a'], { retry: { maxAttempts: { userError: 2 } } })
  mesh.submit(['b'])
  mesh.fail('a')
  expect(mesh.status('b')).toBe('is on w1')
})

test('each class of failure has a limit of its own', () => {
  const mesh = createMesh()
  mesh.workers(1)
  mesh.submit(['a', 'b'], { retry: { maxAttempts: { userError: 3, timeout: 2 }, firstDelayMs: 0 } })
  mesh.fail('a')
  mesh.tick()
  mesh.finish('b')
  mesh.fail('a', { kind: 'timeout', reason: 'TASK_TIMEOUT', message: 'too long' })
  mesh.tick()
  mesh.fail('a')
  mesh.tick()
  expect(mesh.ref('a').attempt).toBe(4)
  mesh.fail('a', { kind: 'timeout', reason: 'TASK_TIMEOUT', message: 'too long' })
  expect(mesh.status('a')).toBe('failed: timeout TASK_TIMEOUT')
  expect(mesh.failure('a').history?.map(({ kind }) => kind)).toEqual(['userError', 'timeout', 'userError', 'timeout'])
})

test('a failure carries what happened to each attempt: where, when, how', () => {
  const mesh = createMesh()
  mesh.workers(1)
  mesh.submit(['a'], { retry: { maxAttempts: { userError: 2 } } })
  mesh.fail('a', { message: 'x'.repeat(10_000) })
  mesh.pass(1_000)
  mesh.fail('a', { message: 'second' })
  const { history = [], attempts, message } = mesh.failure('a')
  expect({ attempts, message }).toEqual({ attempts: 2, message: 'second' })
  expect(history.map(({ attempt, workerId, kind, reason }) => ({ attempt, workerId, kind, reason }))).toEqual([
    { attempt: 1, workerId: 'w1', kind: 'userError', reason: 'TASK_THREW' },
    { attempt: 2, workerId: 'w1', kind: 'userError', reason: 'TASK_THREW' },
  ])
  expect(history[0]?.message).toBe(`${'x'.repeat(500)}…`)
  expect(history[1]).toMatchObject({ startedAtMs: mesh.nowMs - 100, endedAtMs: mesh.nowMs, message: 'second' })
})

test('of many attempts the first and the newest are kept', () => {
  const mesh = createMesh()
  mesh.workers(1)
  mesh.submit(['a'], { retry: { maxAttempts: { userError: 50 }, firstDelayMs: 0 } })
  for (let i = 1; i <= 50; i++) {
    mesh.fail('a', { message: `failure ${i}` })
    mesh.tick()
  }
  const history = mesh.failure('a').history ?? []
  expect(history.map(({ attempt }) => attempt)).toEqual([1, 42, 43, 44, 45, 46, 47, 48, 49, 50])
})

test('a job that used up its budget of retries tries nothing again', () => {
  const mesh = createMesh()
  mesh.workers(3)
  mesh.submit(['a', 'b', 'c'], { retry: { maxAttempts: { userError: 5 }, firstDelayMs: 0, budget: 2 } })
  for (const name of ['a', 'b', 'c']) mesh.fail(name)
  mesh.tick()
  expect(['a', 'b', 'c'].map((name) => mesh.task(name).status.kind)).toEqual(['assigned', 'assigned', 'settled'])
  mesh.fail('a')
  expect(mesh.status('a')).toBe('failed: userError TASK_THREW')
})

test('a task that lost its worker goes elsewhere at once, and with a policy after its wait', () => {
  const mesh = createMesh({ maxLosses: 1 })
  mesh.join('w1')
  mesh.submit(['a'])
  mesh.submit(['b'], { retry: { maxAttempts: { workerLost: 2 }, firstDelayMs: 9_000 } })
  mesh.join('w2')
  mesh.lose('w1')
  mesh.lose('w2')
  expect([mesh.status('a'), mesh.task('b').status]).toMatchObject(['is queued', { kind: 'delayed', why: 'retry' }])
  mesh.join('w3')
  mesh.join('w4')
  mesh.pass(9_000)
  mesh.lose('w3')
  mesh.lose('w4')
  expect([mesh.status('a'), mesh.status('b')]).toEqual([
    'failed: workerLost WORKER_LOST',
    'failed: workerLost WORKER_LOST',
  ])
  expect(mesh.failure('a').history?.map(({ attempt, workerId }) => [attempt, workerId])).toEqual([
    [1, 'w1'],
    [2, 'w3'],
  ])
})

test('a retry is remembered over a restart: how often, what happened, and when it is due', () => {
  const mesh = createMesh()
  mesh.workers(1)
  mesh.submit(['a'], { retry: { maxAttempts: { userError: 2 }, firstDelayMs: 20_000 } })
  mesh.fail('a', { message: 'first' })
  const dueAtMs = mesh.nowMs + 20_000
  mesh.restart()
  expect(mesh.task('a').status).toMatchObject({ kind: 'delayed', untilMs: dueAtMs, why: 'retry' })
  mesh.join('w2')
  mesh.pass(19_000)
  expect(mesh.task('a').status.kind).toBe('delayed')
  mesh.pass(1_000)
  expect(mesh.ref('a').attempt).toBe(2)
  mesh.fail('a', { message: 'second' })
  expect(mesh.failure('a').history?.map(({ message }) => message)).toEqual(['first', 'second'])
})

test('an attempt that was reported as failed is claimed by nobody after a restart', () => {
  const mesh = createMesh()
  mesh.workers(2)
  mesh.submit(['a'], { retry: { maxAttempts: { userError: 3 }, firstDelayMs: 100 } })
  const first = mesh.ref('a')
  mesh.fail('a')
  mesh.pass(200)
  mesh.restart()
  mesh.effects()
  // The second attempt may run; the first, whose acknowledgement was lost in the crash, may not count twice.
  mesh.join('w1', { attempts: [first] })
  expect(mesh.effects()).toEqual(['cancel a#1 on w1'])
  expect(mesh.task('a').past?.charged).toEqual({ userError: 1 })
})

test('an input that comes back does not cut a wait short', () => {
  const mesh = createMesh()
  mesh.workers(2)
  mesh.submit(['input', ['a', 'input']], { retry: { maxAttempts: { userError: 2 }, firstDelayMs: 5_000 } })
  mesh.finish('input', { bytes: 1_000 })
  const holder = [...(mesh.task('input').holders ?? [])][0] as string
  mesh.fail('a')
  mesh.drop(holder, 'input')
  mesh.finish('input', { bytes: 1_000 })
  expect(mesh.task('a').status).toMatchObject({ kind: 'delayed', why: 'retry' })
  mesh.pass(5_000)
  expect(mesh.task('a').status.kind).toBe('assigned')
})

test('a retry that would begin after the deadline is not waited for: the failure says what was wrong', () => {
  const mesh = createMesh()
  mesh.workers(1)
  mesh.submit(['a'], {
    retry: { maxAttempts: { userError: Infinity }, firstDelayMs: 600, factor: 2 },
    deadlineMs: 1_000,
  })
  mesh.fail('a')
  mesh.pass(600)
  mesh.fail('a')
  expect(mesh.status('a')).toBe('failed: userError TASK_THREW')
  expect(mesh.failure('a').history).toHaveLength(2)
})

test('a module that has run elsewhere is tried again where it does not load', () => {
  const mesh = createMesh()
  mesh.workers(1)
  const broken = { kind: 'bundle', reason: 'MODULE_NOT_LOADED', message: 'no space left on device' } as const
  mesh.submit(['unknown'], { kind: 'f' })
  mesh.fail('unknown', broken)
  expect(mesh.status('unknown')).toBe('failed: bundle MODULE_NOT_LOADED')
  mesh.submit(['good', 'bad'], { kind: 'g' })
  mesh.finish('good')
  mesh.fail('bad', broken)
  expect(mesh.task('bad').status).toMatchObject({ kind: 'delayed', why: 'retry' })
})
