import { expect, test } from 'vitest'

import { createMesh } from './testing/mesh.js'

test('a finished task is acknowledged and told to those who follow its job', () => {
  const mesh = createMesh()
  mesh.open('s')
  mesh.workers(1)
  mesh.submit(['a'], { session: 's' })
  mesh.effects()
  mesh.start('a')
  expect(mesh.effects()).toEqual([])
  expect(mesh.status('a')).toBe('runs on w1')
  mesh.finish('a')
  expect(mesh.effects()).toEqual(['acknowledge a#1 to w1', 'tell s a finished', 'tell s job j1'])
})

test('a failure carries the worker and the number of attempts', () => {
  const mesh = createMesh()
  mesh.workers(1)
  mesh.submit(['a'])
  mesh.fail('a')
  expect(mesh.failure('a')).toMatchObject({ kind: 'userError', message: 'boom', workerId: 'w1', attempts: 1 })
})

test('no task is settled twice: a repeated report is only acknowledged', () => {
  const mesh = createMesh()
  mesh.workers(1)
  mesh.submit(['a', 'b'])
  const ref = mesh.ref('a')
  mesh.finish('a')
  mesh.effects()
  const remembered = mesh.facts.length
  mesh.reportFinished('w1', ref)
  expect(mesh.effects()).toEqual(['acknowledge a#1 to w1'])
  expect(mesh.facts).toHaveLength(remembered)
})

test('a repeated report of a large result does not make its holder forget it', () => {
  const mesh = createMesh()
  mesh.workers(1)
  mesh.submit(['a'])
  const ref = mesh.ref('a')
  mesh.finish('a', { bytes: 1_000 })
  mesh.effects()
  mesh.reportFinished('w1', ref, { bytes: 1_000 })
  expect(mesh.effects()).toEqual(['acknowledge a#1 to w1'])
  expect([...(mesh.task('a').holders ?? [])]).toEqual(['w1'])
})

test.each([
  ['an earlier attempt', { attempt: 0 }],
  ['a later attempt', { attempt: 2 }],
  ['an earlier epoch', { epoch: 0 }],
  ['a task that the job lacks', { index: 7 }],
  ['a job that is unknown', { jobId: 'unknown' as never }],
])('a report of %s is acknowledged, its result dropped, and nothing else', (_what, other) => {
  const mesh = createMesh()
  mesh.workers(1)
  mesh.submit(['a'])
  const ref = mesh.ref('a')
  mesh.finish('a')
  mesh.effects()
  const stale = { ...ref, ...other }
  mesh.reportFinished('w1', stale, { bytes: 10 })
  const name = 'jobId' in other ? 'unknown/0' : 'index' in other ? 'j1/7' : 'a'
  expect(mesh.effects()).toEqual([`acknowledge ${name}#${stale.attempt} to w1`, `release ${name} on w1`])
  expect(mesh.status('a')).toBe('finished')
})

test('a report of a worker that does not have the attempt is stale', () => {
  const mesh = createMesh()
  mesh.workers(2)
  mesh.submit(['a'])
  mesh.effects()
  mesh.reportFinished('w2', mesh.ref('a'))
  expect(mesh.effects()).toEqual(['acknowledge a#1 to w2'])
  expect(mesh.status('a')).toBe('is on w1')
})

test('a stale result is kept while its worker runs the task again: the object may be the new one', () => {
  const mesh = createMesh()
  mesh.workers(1)
  mesh.submit(['a'])
  const first = mesh.ref('a')
  mesh.lose('w1')
  mesh.join('w1')
  expect(mesh.ref('a').attempt).toBe(2)
  mesh.effects()
  mesh.reportFinished('w1', first, { bytes: 10 })
  expect(mesh.effects()).toEqual(['acknowledge a#1 to w1'])
})

test('a started report of another attempt changes nothing', () => {
  const mesh = createMesh()
  mesh.workers(1)
  mesh.submit(['a'])
  const ref = { ...mesh.ref('a'), startedAtMs: 0 }
  mesh.happen({
    kind: 'tasksStarted',
    workerId: 'w1' as never,
    attempts: [
      { ...ref, attempt: 2 },
      { ...ref, epoch: 9 },
    ],
  })
  mesh.happen({ kind: 'tasksStarted', workerId: 'w2' as never, attempts: [ref] })
  expect(mesh.status('a')).toBe('is on w1')
})

test('a dependent starts when the last of its inputs is there', () => {
  const mesh = createMesh()
  mesh.workers(2)
  mesh.submit(['a', 'b', ['c', 'a', 'b']])
  mesh.finish('a')
  expect(mesh.status('c')).toBe('waits for 1')
  mesh.effects()
  mesh.finish('b')
  expect(mesh.effects()).toEqual(['acknowledge b#1 to w2', 'tell nobody b finished', 'run c#1 on w1'])
})

test('a failure fails its dependents, in this job and in others, and leaves the rest alone', () => {
  const mesh = createMesh()
  mesh.workers(1)
  mesh.submit(['a', ['b', 'a'], 'c'])
  mesh.submit([['d', 'b']])
  mesh.effects()
  mesh.fail('a')
  expect(mesh.effects()).toEqual([
    'acknowledge a#1 to w1',
    'tell nobody a failed: userError TASK_THREW',
    'tell nobody b failed: input INPUT_FAILED',
    'tell nobody d failed: input INPUT_FAILED',
    'tell nobody job j2',
    'run c#1 on w1',
  ])
})

test('along a chain every failure names its own input, and carries the one that began it', () => {
  const mesh = createMesh()
  mesh.workers(1)
  mesh.submit(['a', ['b', 'a'], ['c', 'b'], ['d', 'c']])
  mesh.fail('a')
  const { kind, reason, message, cause } = mesh.failure('d')
  expect({ kind, reason, message }).toEqual({
    kind: 'input',
    reason: 'INPUT_FAILED',
    message: 'its input, task j1/2, failed: boom',
  })
  expect(cause).toMatchObject({ kind: 'userError', message: 'boom', taskId: 'j1/0' })
  expect(cause?.cause).toBeUndefined()
})

test('a chain and a fan of 30,000 tasks fail at once, without deep recursion or endless messages', () => {
  const count = 30_000
  const mesh = createMesh({}, { verifies: false })
  mesh.workers(1)
  mesh.submit([
    'a',
    ...Array.from({ length: count }, (_, i): [string, string] => [`c${i}`, i === 0 ? 'a' : `c${i - 1}`]),
  ])
  mesh.submit(Array.from({ length: count }, (_, i): [string, string] => [`f${i}`, 'a']))
  mesh.fail('a')
  expect(mesh.state.counts).toMatchObject({ failed: 2 * count + 1, waiting: 0, queued: 0, running: 0 })
  expect(mesh.failure(`c${count - 1}`).message.length).toBeLessThan(100)
})

test('a result that was released while its task ran is dropped when it comes', () => {
  const mesh = createMesh()
  mesh.workers(1)
  mesh.submit(['a'])
  mesh.release('a')
  mesh.effects()
  mesh.finish('a', { bytes: 1_000 })
  expect(mesh.effects()).toEqual([
    'acknowledge a#1 to w1',
    'tell nobody a finished',
    'tell nobody job j1',
    'release a on w1',
  ])
})

test('a released intermediate is kept for its dependents, and dropped with the last of them', () => {
  const mesh = createMesh()
  mesh.workers(2)
  mesh.submit(['a', ['b', 'a'], ['c', 'a']])
  mesh.release('a')
  mesh.finish('a', { bytes: 1_000 })
  mesh.finish('b')
  mesh.effects()
  mesh.finish('c')
  expect(mesh.effects()).toContain('release a on w1')
})

test('inputs that cannot be fetched are tried again later, uncharged, and as long as a holder may be found lost', () => {
  const mesh = createMesh({ maxLosses: 0 })
  mesh.workers(2)
  mesh.submit(['a', ['b', 'a']])
  mesh.finish('a', { bytes: 1_000 })
  mesh.missInputs('b')
  expect(mesh.status('b')).toBe(`is delayed until ${mesh.nowMs + 250}`)
  expect(mesh.task('b').losses).toBe(0)
  const startMs = mesh.nowMs
  for (let tries = 1; tries <= 8; tries++) {
    expect(mesh.status('b')).toContain('is delayed')
    mesh.pass(250 * 2 ** (tries - 1) + 500)
    mesh.missInputs('b')
  }
  expect(mesh.nowMs - startMs).toBeGreaterThan(60_000)
  expect(mesh.failure('b')).toMatchObject({ kind: 'input', reason: 'INPUT_UNAVAILABLE', attempts: 9 })
  expect(mesh.failure('b').message).toContain('the holder does not answer')
})

test('a delayed task goes on as soon as its lost input is there again', () => {
  const mesh = createMesh()
  mesh.workers(2)
  mesh.submit(['a', ['b', 'a']])
  mesh.finish('a', { bytes: 1_000 })
  mesh.missInputs('b')
  mesh.drop('w1', 'a')
  mesh.effects()
  mesh.finish('a', { bytes: 1_000 })
  expect(mesh.effects()).toEqual(['acknowledge a#2 to w1', 'tell nobody a finished', 'run b#2 on w1'])
})

test('a task that started got its inputs: earlier failures to fetch are forgotten', () => {
  const mesh = createMesh()
  mesh.workers(1)
  mesh.submit(['a', ['b', 'a']])
  mesh.finish('a', { bytes: 1_000 })
  mesh.missInputs('b')
  mesh.pass(500)
  mesh.start('b')
  expect(mesh.task('b').fetchFailures).toBe(0)
})

test('an attempt that begins early, because another input came back, does not use up those that wait for a silent holder', () => {
  const mesh = createMesh({ maxFetchFailures: 1 })
  mesh.workers(3)
  mesh.submit(['a', 'b', ['c', 'a', 'b']])
  mesh.finish('a', { bytes: 10 })
  mesh.finish('b', { bytes: 10 })
  mesh.missInputs('c')
  expect(mesh.status('c')).toContain('is delayed')
  mesh.drop('w2', 'b')
  mesh.finish('b', { bytes: 10 })
  expect(mesh.status('c')).toContain('is on')
  mesh.missInputs('c')
  expect(mesh.status('c')).toContain('is delayed')
})
