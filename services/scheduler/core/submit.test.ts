import { expect, test } from 'vitest'

import type { JobId, ObjectId } from '#libs/domain'

import { refuseJob } from './submit.js'
import { createMesh, Mesh } from './testing/mesh.js'

test('a task without inputs goes to a worker at once, one with inputs waits for them', () => {
  const mesh = createMesh()
  mesh.workers(2)
  mesh.submit(['a', ['b', 'a']])
  expect(mesh.effects()).toEqual(['answer j1', 'run a#1 on w1'])
  expect(mesh.status('b')).toBe('waits for 1')
  expect(mesh.facts.map(({ kind }) => kind).filter((kind) => kind !== 'workerAttached')).toEqual([
    'epochRaised',
    'jobSubmitted',
  ])
})

test('without workers tasks are queued, and go to the first that joins', () => {
  const mesh = createMesh()
  mesh.submit(['a', 'b'])
  expect(mesh.effects()).toEqual(['answer j1'])
  mesh.workers(1)
  expect(mesh.effects()).toEqual(['run a#1 on w1'])
  expect(mesh.status('b')).toBe('is queued')
})

test('a duplicate of a request gets the first answer and submits nothing', () => {
  const mesh = createMesh()
  mesh.submit(['a'], { request: 'r' })
  mesh.effects()
  mesh.submit(['a'], { job: 'another', request: 'r' })
  expect(mesh.effects()).toEqual(['answer j1'])
  expect([...mesh.state.jobs.keys()]).toEqual(['j1'])
})

test('who repeats a request after a cut also hears of the settles that were lost with the answer', () => {
  const mesh = createMesh()
  mesh.open('s')
  mesh.workers(1)
  mesh.submit(['a', 'b'], { session: 's', request: 'r' })
  mesh.finish('a')
  mesh.effects()
  mesh.submit(['a', 'b'], { job: 'another', session: 's', request: 'r' })
  expect(mesh.effects()).toEqual(['tell s a finished', 'tell s job j1', 'answer j1'])
})

test('the id of a job that exists is refused', () => {
  const mesh = createMesh()
  mesh.submit(['a'], { job: 'j', request: 'r1' })
  mesh.submit(['b'], { job: 'j', request: 'r2' })
  expect(mesh.effects()).toEqual(['answer j', 'refuse JOB_EXISTS'])
})

test.each([
  ['itself', 'j/1'],
  ['a later task', 'j/2'],
  ['a task that the job lacks', 'j/9'],
  ['a negative index', 'j/-1'],
  ['no index', 'j/'],
  ['an index with leading zeros', 'j/00'],
  ['a fraction', 'j/0.5'],
  ['a job that is unknown', 'other/0'],
  ['an object that is unknown', 'o-1'],
])('a task that depends on %s is refused, and nothing is remembered', (_what, input) => {
  const mesh = createMesh()
  mesh.submit(['a', ['b', input], 'c'], { job: 'j' })
  expect(mesh.effects()).toEqual(['refuse UNKNOWN_INPUT'])
  expect(mesh.state.jobs.size).toBe(0)
  expect(mesh.facts).toHaveLength(1)
})

test('a task that calls a function which the job lacks is refused', () => {
  const mesh = createMesh()
  const task = { functionIndex: 1, input: new Uint8Array(), dependencies: [], name: '', timeoutMs: undefined }
  const functions = [{ bundleDigest: 'bundle', taskName: 'f' }]
  const job = { jobId: 'j' as JobId, name: '', functions, tasks: [task], seed: 0n, trace: {}, detached: false }
  mesh.happen({ kind: 'jobSubmitted', requestId: 'r', callId: 1, job })
  expect(mesh.effects()).toEqual(['refuse UNKNOWN_FUNCTION'])
})

test('an input that is named twice is waited for once', () => {
  const mesh = createMesh()
  mesh.workers(1)
  mesh.submit(['a', ['b', 'a', 'a']])
  expect(mesh.status('b')).toBe('waits for 1')
  mesh.finish('a')
  expect(mesh.status('b')).toBe('is on w1')
  mesh.finish('b')
  expect(mesh.task('a').dependents?.size).toBe(0)
})

test('what depends on a failed task of an earlier job fails at the submit, and so does what depends on that', () => {
  const mesh = createMesh()
  mesh.workers(1)
  mesh.submit(['a'], { job: 'first' })
  mesh.fail('a')
  mesh.effects()
  mesh.submit([['b', 'a'], ['c', 'b'], 'd'], { job: 'second' })
  expect(mesh.effects()).toEqual([
    'tell nobody b failed: input INPUT_FAILED',
    'tell nobody c failed: input INPUT_FAILED',
    'answer second',
    'run d#1 on w1',
  ])
  expect(mesh.failure('c')).toMatchObject({
    message: 'its input, task second/0, failed: boom',
    cause: { message: 'boom' },
  })
  expect(mesh.state.jobs.get('second' as JobId)?.settledAtMs).toBeUndefined()
})

test('a job whose every task fails at the submit is settled', () => {
  const mesh = createMesh()
  mesh.workers(1)
  mesh.submit(['a'], { job: 'first' })
  mesh.fail('a')
  mesh.effects()
  mesh.submit([['b', 'a']], { job: 'second' })
  expect(mesh.effects()).toEqual([
    'tell nobody b failed: input INPUT_FAILED',
    'tell nobody job second',
    'answer second',
  ])
})

test('small and large results of an earlier job are inputs at once', () => {
  const mesh = createMesh()
  mesh.workers(2)
  mesh.submit(['small', 'large'])
  mesh.finish('small')
  mesh.finish('large', { bytes: 1_000 })
  mesh.effects()
  mesh.submit([['b', 'small', 'large']])
  expect(mesh.effects()).toEqual(['answer j2', 'run b#1 on w2'])
})

test('a result that was released and dropped is computed again when a new task wants it', () => {
  const mesh = createMesh()
  mesh.workers(1)
  mesh.submit(['a', ['b', 'a']])
  mesh.finish('a', { bytes: 1_000 })
  mesh.finish('b', { bytes: 1_000 })
  mesh.release('a', 'b')
  mesh.effects()
  mesh.submit([['c', 'b']])
  expect(mesh.effects()).toEqual([
    'tell nobody b is lost',
    'tell nobody job j1',
    'tell nobody a is lost',
    'answer j2',
    'run a#2 on w1',
  ])
  mesh.finish('a', { bytes: 1_000 })
  mesh.finish('b', { bytes: 1_000 })
  mesh.finish('c')
  expect(mesh.status('c')).toBe('finished')
  expect(mesh.state.workers.values().next().value?.objects.size).toBe(0)
})

test('a task that depends on a lost buffer fails instead of waiting for ever', () => {
  const mesh = createMesh()
  mesh.workers(2)
  mesh.scatter('w1', 'x')
  mesh.lose('w1')
  mesh.effects()
  mesh.submit([['a', 'x']])
  expect(mesh.effects()).toEqual(['tell nobody a failed: input INPUT_LOST', 'tell nobody job j1', 'answer j1'])
})

test('a task of a job is no input once its job is forgotten', () => {
  const mesh = createMesh({ maxSettledJobs: 0 })
  mesh.workers(1)
  mesh.submit(['a'])
  mesh.finish('a')
  mesh.tick()
  mesh.effects()
  mesh.submit([['b', 'j1/0']])
  expect(mesh.effects()).toEqual(['refuse UNKNOWN_INPUT'])
  expect(mesh.state.objects.has('j1/0' as ObjectId)).toBe(false)
})

test('a job that would make too many unsettled tasks is refused until others are settled', () => {
  const mesh = new Mesh({ maxUnsettledTasks: 3 })
  mesh.submit(['a', 'b'], { job: 'j' })
  mesh.submit(['c', 'd'], { job: 'k' })
  expect(mesh.state.jobs.has('k' as JobId)).toBe(false)
  mesh.cancelJob('j')
  mesh.submit(['c', 'd'], { job: 'k' })
  expect(mesh.state.jobs.has('k' as JobId)).toBe(true)
})

test('a job whose inputs are too many bytes is refused, and told which limit and when to come back', () => {
  const mesh = new Mesh({ maxUnsettledBytes: 100 })
  mesh.submit(['a'], { job: 'j', inputBytes: 60 })
  const refusal = refuseJob(mesh.state, { ...mesh.state.jobs.get('j' as JobId)!.spec, jobId: 'k' as JobId })
  expect(refusal).toMatchObject({
    code: 'RESOURCE_EXHAUSTED',
    reason: 'QUEUE_FULL',
    quotas: [{ subject: 'bytes of unsettled tasks', description: '61 of 100, 61 more' }],
    retryDelayMs: 5_000,
  })
})
