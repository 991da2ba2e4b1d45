import { expect, test } from 'vitest'

import type { JobId } from '#libs/domain'

import { createMesh } from './testing/mesh.js'

test('a cancelled job: what runs is stopped, what waits never runs, what is finished stays', () => {
  const mesh = createMesh()
  mesh.open('s')
  mesh.workers(2)
  mesh.submit(['a', 'b', ['c', 'b'], 'd', 'e'], { session: 's' })
  mesh.finish('a')
  mesh.start('b')
  mesh.effects()
  mesh.cancelJob('j1')
  expect(mesh.effects()).toEqual([
    'cancel b#1 on w2',
    'tell s b failed: cancelled CANCELLED',
    'tell s c failed: cancelled CANCELLED',
    'cancel d#1 on w1',
    'tell s d failed: cancelled CANCELLED',
    'tell s e failed: cancelled CANCELLED',
    'tell s job j1',
  ])
  expect(mesh.status('a')).toBe('finished')
  expect(mesh.state.jobs.get('j1' as JobId)).toMatchObject({ cancelled: true, counts: { finished: 1, cancelled: 4 } })
  expect([...mesh.state.workers.values()].map(({ tasks }) => tasks.size)).toEqual([0, 0])
})

test('the late end of a cancelled attempt is acknowledged, and changes nothing', () => {
  const mesh = createMesh()
  mesh.workers(1)
  mesh.submit(['a'])
  const ref = mesh.ref('a')
  mesh.cancelJob('j1')
  mesh.effects()
  mesh.reportFinished('w1', ref, { bytes: 10 })
  expect(mesh.effects()).toEqual(['acknowledge a#1 to w1', 'release a on w1'])
  expect(mesh.status('a')).toBe('failed: cancelled CANCELLED')
})

/**
 *  a ── b ── d
 *  c ── e          cancel a: b and d can no longer run, c and e go on
 */
test('half a graph is cancelled with what depends on it', () => {
  const mesh = createMesh()
  mesh.workers(1)
  mesh.submit(['a', ['b', 'a'], 'c', ['d', 'b'], ['e', 'c']])
  mesh.cancel('a')
  expect(['a', 'b', 'd'].map((name) => mesh.status(name))).toEqual([
    'failed: cancelled CANCELLED',
    'failed: cancelled INPUT_FAILED',
    'failed: cancelled INPUT_FAILED',
  ])
  mesh.finish('c')
  mesh.finish('e')
  expect(mesh.state.jobs.get('j1' as JobId)).toMatchObject({ cancelled: false, counts: { finished: 2, cancelled: 3 } })
})

test('a cancel is repeated, and names the same task twice, without effect', () => {
  const mesh = createMesh()
  mesh.workers(1)
  mesh.submit(['a', 'b'])
  mesh.effects()
  mesh.cancel('a', 'a')
  expect(mesh.effects()).toEqual(['cancel a#1 on w1', 'tell nobody a failed: cancelled CANCELLED', 'run b#1 on w1'])
  const remembered = mesh.facts.length
  mesh.cancel('a')
  expect(mesh.effects()).toEqual([])
  expect(mesh.facts).toHaveLength(remembered)
})

test('dependents in other jobs fail with a cancelled task, and those that run already may finish', () => {
  const mesh = createMesh()
  mesh.workers(2)
  mesh.submit(['a'])
  mesh.submit([['b', 'a']], { job: 'other' })
  mesh.cancelJob('j1')
  expect(mesh.failure('b')).toMatchObject({ kind: 'cancelled', reason: 'INPUT_FAILED', cause: { reason: 'CANCELLED' } })
})

test('cancelled tasks do not stay in the queue', () => {
  const mesh = createMesh({}, { verifies: false })
  for (let round = 0; round < 30; round++) {
    const jobId = mesh.submit(Array.from({ length: 1_000 }, (_, i) => `${round}-${i}`))
    mesh.cancelJob(jobId)
  }
  expect(mesh.state.queue.length).toBeLessThan(3_000)
  mesh.submit(['last'])
  mesh.workers(1)
  expect(mesh.status('last')).toBe('is on w1')
})

test('unknown jobs and tasks are refused, and then nothing is cancelled', () => {
  const mesh = createMesh()
  mesh.workers(1)
  mesh.submit(['a'])
  mesh.effects()
  mesh.happen({ kind: 'cancelRequested', callId: 1, jobId: 'j1' as JobId, indices: [0, 7], reason: 'test' })
  mesh.happen({ kind: 'cancelRequested', callId: 2, jobId: 'unknown' as JobId, reason: 'test' })
  expect(mesh.effects()).toEqual(['refuse TASK_NOT_FOUND', 'refuse JOB_NOT_FOUND'])
  expect(mesh.status('a')).toBe('is on w1')
})

test('a cancelled delayed task is not woken', () => {
  const mesh = createMesh()
  mesh.workers(1)
  mesh.submit(['a', ['b', 'a']])
  mesh.finish('a', { bytes: 1_000 })
  mesh.missInputs('b')
  mesh.cancel('b')
  mesh.effects()
  mesh.pass(1_000)
  expect(mesh.effects()).toEqual([])
  expect(mesh.state.delayed.size).toBe(0)
})
