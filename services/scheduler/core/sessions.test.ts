import { expect, test } from 'vitest'

import type { JobId, SessionId } from '#libs/domain'

import { createMesh } from './testing/mesh.js'

test('the attached job of a client that does not come back is cancelled, the detached one runs on', () => {
  const mesh = createMesh()
  mesh.open('s')
  mesh.workers(2)
  mesh.submit(['attached'], { session: 's' })
  mesh.submit(['detached'], { session: 's', detached: true })
  mesh.close('s')
  mesh.pass(59_500)
  mesh.effects()
  mesh.pass(500)
  expect(mesh.effects()).toEqual([
    'cancel attached#1 on w1',
    'tell nobody attached failed: cancelled CANCELLED',
    'tell nobody job j1',
  ])
  expect(mesh.failure('attached').message).toContain('its client is gone')
  expect(mesh.state.sessions.size).toBe(0)
  mesh.finish('detached', { bytes: 1_000 })
  expect(mesh.task('detached').released).toBe(false)
})

test('a client that comes back in time keeps its jobs', () => {
  const mesh = createMesh()
  mesh.open('s')
  mesh.workers(1)
  mesh.submit(['a'], { session: 's' })
  mesh.close('s')
  mesh.pass(50_000)
  mesh.open('s')
  mesh.pass(50_000)
  mesh.close('s')
  mesh.pass(50_000)
  expect(mesh.status('a')).toBe('is on w1')
})

test('a session that nobody ever spoke for ends like one whose client is gone', () => {
  const mesh = createMesh()
  mesh.workers(1)
  mesh.submit(['a'], { session: 's' })
  mesh.scatter('w1', 'x', 'another')
  mesh.pass(60_000)
  expect(mesh.status('a')).toBe('failed: cancelled CANCELLED')
  expect(mesh.state.objects.size).toBe(0)
  expect(mesh.state.sessions.size).toBe(0)
})

test('with the session its results and buffers go, except what detached tasks still need', () => {
  const mesh = createMesh()
  mesh.open('s')
  mesh.workers(2)
  mesh.scatter('w1', 'x', 's')
  mesh.scatter('w1', 'y', 's')
  mesh.submit(['a'], { session: 's' })
  mesh.finish('a', { bytes: 1_000 })
  mesh.submit([['b', 'x']], { session: 's', detached: true })
  mesh.close('s')
  mesh.effects()
  mesh.pass(60_500)
  expect(mesh.effects()).toEqual(['release y on w1', 'release a on w1'])
  mesh.finish('b')
  expect(mesh.effects()).toContain('release x on w1')
  expect(mesh.state.objects.size).toBe(0)
})

test('a session with a job of 200,000 tasks ends', () => {
  const mesh = createMesh({}, { verifies: false })
  mesh.submit(
    Array.from({ length: 200_000 }, (_, i) => `t${i}`),
    { session: 's' },
  )
  mesh.pass(60_500)
  expect(mesh.state.counts).toMatchObject({ cancelled: 200_000, queued: 0 })
})

test('who follows a job hears the settles that are there, then each as it comes', () => {
  const mesh = createMesh()
  mesh.workers(1)
  mesh.submit(['a', 'b'])
  mesh.finish('a')
  mesh.open('s')
  mesh.effects()
  mesh.happen({ kind: 'jobFollowed', callId: 1, sessionId: 's' as SessionId, jobId: 'j1' as JobId })
  expect(mesh.effects()).toEqual(['tell s a finished', 'tell s job j1', 'answer j1'])
  mesh.finish('b')
  expect(mesh.effects()).toEqual(['acknowledge b#1 to w1', 'tell s b finished', 'tell s job j1'])
})

test('two sessions follow a job until one is gone', () => {
  const mesh = createMesh()
  for (const session of ['s1', 's2']) mesh.open(session)
  mesh.workers(1)
  mesh.submit(['a'], { session: 's1', detached: true })
  mesh.happen({ kind: 'jobFollowed', sessionId: 's2' as SessionId, jobId: 'j1' as JobId })
  mesh.close('s1')
  mesh.pass(60_500)
  mesh.effects()
  mesh.finish('a')
  expect(mesh.effects()).toEqual(['acknowledge a#1 to w1', 'tell s2 a finished', 'tell s2 job j1'])
})

test('an attached job lives, and its results are kept, as long as somebody follows it', () => {
  const mesh = createMesh()
  for (const session of ['s1', 's2']) mesh.open(session)
  mesh.workers(2)
  mesh.submit(['a', 'b'], { session: 's1' })
  mesh.finish('a', { bytes: 1_000 })
  mesh.happen({ kind: 'jobFollowed', sessionId: 's2' as SessionId, jobId: 'j1' as JobId })
  mesh.close('s1')
  mesh.pass(60_500)
  expect([mesh.status('b'), mesh.task('a').released]).toEqual(['is on w2', false])
  mesh.close('s2')
  mesh.pass(60_500)
  expect([mesh.status('b'), mesh.task('a').released]).toEqual(['failed: cancelled CANCELLED', true])
})

test('after a restart the job lives with the follower that comes back, and ends when none does', () => {
  const mesh = createMesh()
  for (const session of ['s1', 's2']) mesh.open(session)
  mesh.submit(['a'], { session: 's1', job: 'followed' })
  mesh.submit(['b'], { session: 's1', job: 'alone' })
  mesh.restart()
  mesh.open('s2')
  mesh.happen({ kind: 'jobFollowed', sessionId: 's2' as SessionId, jobId: 'followed' as JobId })
  mesh.pass(60_500)
  expect([mesh.status('a'), mesh.status('b')]).toEqual(['is queued', 'failed: cancelled CANCELLED'])
})

test('a follower that goes takes nothing with it while the owner is there', () => {
  const mesh = createMesh()
  for (const session of ['s1', 's2']) mesh.open(session)
  mesh.submit(['a'], { session: 's1' })
  mesh.restart()
  mesh.open('s1')
  mesh.open('s2')
  mesh.happen({ kind: 'jobFollowed', sessionId: 's2' as SessionId, jobId: 'j1' as JobId })
  mesh.close('s2')
  mesh.pass(60_500)
  expect(mesh.status('a')).toBe('is queued')
})

test('a job that is unknown cannot be followed', () => {
  const mesh = createMesh()
  mesh.open('s')
  mesh.happen({ kind: 'jobFollowed', callId: 1, sessionId: 's' as SessionId, jobId: 'unknown' as JobId })
  expect(mesh.effects()).toEqual(['refuse JOB_NOT_FOUND'])
})

test('the client hears that a buffer is lost, and what depends on it fails with that cause', () => {
  const mesh = createMesh()
  mesh.open('s')
  mesh.workers(1)
  mesh.scatter('w1', 'x', 's')
  mesh.submit(['busy', ['a', 'x'], ['b', 'a'], ['c', 'x', 'busy']], { session: 's' })
  mesh.effects()
  mesh.drop('w1', 'x')
  expect(mesh.effects()).toEqual([
    'tell s a failed: input INPUT_LOST',
    'tell s b failed: input INPUT_FAILED',
    'tell s c failed: input INPUT_LOST',
    'tell s x is lost',
  ])
  expect(mesh.failure('b').cause?.message).toContain('the scattered buffer o-x is lost')
})

test('a task that already runs with a lost buffer may finish; when it has to run again it fails', () => {
  const mesh = createMesh()
  mesh.join('w1')
  mesh.scatter('w1', 'x')
  mesh.join('w2', { slots: 2 })
  mesh.submit(['busy', ['a', 'x'], ['b', 'x']])
  expect(['a', 'b'].map((name) => mesh.status(name))).toEqual(['is on w2', 'is on w2'])
  mesh.lose('w1')
  mesh.finish('a')
  expect(mesh.status('a')).toBe('finished')
  mesh.lose('w2')
  expect(mesh.status('b')).toBe('failed: input INPUT_LOST')
})

test('a buffer on two workers outlives one of them', () => {
  const mesh = createMesh()
  mesh.workers(2)
  mesh.scatter('w1', 'x')
  mesh.scatter('w2', 'x')
  mesh.lose('w1')
  mesh.submit([['a', 'x']])
  expect(mesh.status('a')).toBe('is on w2')
})

test('a stored report is acknowledged again when it is repeated, and remembered once', () => {
  const mesh = createMesh()
  mesh.workers(1)
  mesh.scatter('w1', 'x')
  const remembered = mesh.facts.length
  mesh.scatter('w1', 'x')
  expect(mesh.effects()).toEqual(['acknowledge stored-x to w1', 'acknowledge stored-x to w1'])
  expect(mesh.facts).toHaveLength(remembered)
})

test('nobody can put a buffer in the place of a result', () => {
  const mesh = createMesh()
  mesh.workers(1)
  mesh.submit(['a'])
  const objects = [mesh.held('a')]
  mesh.happen({ kind: 'objectsStored', workerId: 'w1' as never, requestId: 'r', sessionId: undefined, objects })
  expect(mesh.state.objects.size).toBe(0)
  expect(mesh.task('a').holders).toBeUndefined()
})

test('a release is remembered once, and an unknown object is no error', () => {
  const mesh = createMesh()
  mesh.workers(1)
  mesh.submit(['a'])
  mesh.finish('a', { bytes: 1_000 })
  mesh.effects()
  mesh.release('a', 'a', 'o-unknown', 'j1/9')
  expect(mesh.effects()).toEqual(['release a on w1'])
  expect(mesh.facts.filter(({ kind }) => kind === 'resultsReleased')).toMatchObject([{ indices: [0] }])
})
