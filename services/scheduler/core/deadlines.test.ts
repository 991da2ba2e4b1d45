import { expect, test } from 'vitest'

import { createMesh } from './testing/mesh.js'

test('what is not settled at the deadline fails, what runs is stopped, what is done stays done', () => {
  const mesh = createMesh()
  mesh.workers(2)
  mesh.submit(['done', 'running', 'queued', ['waiting', 'queued']], { deadlineMs: 10_000, session: 's' })
  mesh.finish('done')
  mesh.start('running')
  mesh.submit(['other'])
  mesh.pass(9_500)
  expect(mesh.status('running')).toBe('runs on w2')
  mesh.effects()
  mesh.pass(500)
  expect(['done', 'running', 'queued', 'waiting'].map((name) => mesh.status(name))).toEqual([
    'finished',
    'failed: timeout JOB_DEADLINE',
    'failed: timeout JOB_DEADLINE',
    'failed: timeout JOB_DEADLINE',
  ])
  expect(mesh.effects()).toContain('cancel running#1 on w2')
  expect(mesh.failure('running').message).toContain('1970-01-01T00:16:50.000Z')
  expect(mesh.status('other')).toMatch(/^is on/)
})

test('a job that comes after its deadline fails at once, also one that waits for its retry', () => {
  const mesh = createMesh()
  mesh.workers(1)
  mesh.submit(['late'], { deadlineMs: -1 })
  expect(mesh.status('late')).toBe('failed: timeout JOB_DEADLINE')
  mesh.submit(['a'], { deadlineMs: 2_000, retry: { maxAttempts: { userError: 2 }, firstDelayMs: 1_999 } })
  mesh.fail('a', { message: 'boom' })
  mesh.pass(2_000)
  expect(mesh.failure('a')).toMatchObject({ reason: 'JOB_DEADLINE', history: [{ message: 'boom' }] })
})

test('a deadline is remembered over a restart', () => {
  const mesh = createMesh()
  mesh.workers(1)
  mesh.submit(['a'], { deadlineMs: 3_000 })
  mesh.restart()
  mesh.pass(3_000)
  expect(mesh.status('a')).toBe('failed: timeout JOB_DEADLINE')
})

test('with the first failure a job that fails fast is over: the others are cancelled and stopped', () => {
  const mesh = createMesh()
  mesh.workers(2)
  mesh.submit(['a', 'b', 'c', ['d', 'c']], { failFast: true, session: 's' })
  mesh.start('b')
  mesh.effects()
  mesh.fail('a', { message: 'the matrix is singular' })
  expect(['a', 'b', 'c', 'd'].map((name) => mesh.status(name))).toEqual([
    'failed: userError TASK_THREW',
    'failed: cancelled FAIL_FAST',
    'failed: cancelled FAIL_FAST',
    'failed: cancelled FAIL_FAST',
  ])
  expect(mesh.effects()).toContain('cancel b#1 on w2')
  expect(mesh.failure('b').message).toContain('the matrix is singular')
  expect(mesh.failure('d').cause).toMatchObject({ kind: 'userError' })
  expect(mesh.task('a').job).toMatchObject({ counts: { failed: 1, cancelled: 3 }, cancelled: false })
  expect(mesh.task('a').job.settledAtMs).toBe(mesh.nowMs)
})

test('without it the others go on, and a retry is no failure yet', () => {
  const mesh = createMesh()
  mesh.workers(2)
  mesh.submit(['a', 'b'])
  mesh.fail('a')
  mesh.finish('b')
  expect(mesh.status('b')).toBe('finished')
  mesh.submit(['c', 'd'], { failFast: true, retry: { maxAttempts: { userError: 2 } } })
  mesh.fail('c')
  expect(mesh.status('d')).toMatch(/^is on/)
  mesh.cancel('c')
  expect(mesh.status('d')).toMatch(/^is on/)
})

test('a task that cannot be sent anywhere ends its job, too', () => {
  const mesh = createMesh({ maxInlineInputBytes: 10 })
  mesh.workers(2)
  mesh.submit(['small'])
  mesh.submit([['large', 'small'], 'next'], { failFast: true })
  mesh.finish('small', { inlineBytes: 11 })
  expect([mesh.status('large'), mesh.status('next')]).toEqual([
    'failed: input INPUTS_TOO_LARGE',
    'failed: cancelled FAIL_FAST',
  ])
})

test('what depends on a job that failed fast in another one fails in turn', () => {
  const mesh = createMesh()
  mesh.workers(1)
  mesh.submit(['a', 'b'], { failFast: true })
  mesh.submit([['c', 'b'], 'd'])
  mesh.fail('a')
  expect([mesh.status('c'), mesh.status('d')]).toEqual(['failed: cancelled INPUT_FAILED', 'is on w1'])
})
