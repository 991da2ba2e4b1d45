import { expect, test } from 'vitest'

import { createMesh } from './testing/mesh.js'

test('a lost result that its client wants is computed again', () => {
  const mesh = createMesh()
  mesh.workers(2)
  mesh.open('s')
  mesh.submit(['a'], { session: 's' })
  mesh.finish('a', { bytes: 1_000 })
  mesh.cut('w1')
  mesh.nowMs += 2_001
  mesh.effects()
  mesh.tick()
  expect(mesh.effects()).toEqual(['dismiss w1', 'tell s a is lost', 'tell s job j1', 'run a#2 on w2'])
  expect(mesh.task('a').losses).toBe(0)
})

test('a lost result that nobody wants is not', () => {
  const mesh = createMesh()
  mesh.workers(2)
  mesh.submit(['a', ['b', 'a']])
  mesh.finish('a', { bytes: 1_000 })
  mesh.release('a')
  mesh.finish('b')
  mesh.effects()
  mesh.leave('w1')
  expect(mesh.effects()).toEqual([])
  expect(mesh.status('a')).toBe('finished')
})

test('a small result is never lost', () => {
  const mesh = createMesh()
  mesh.workers(1)
  mesh.submit(['a'])
  mesh.finish('a')
  mesh.lose('w1')
  expect(mesh.status('a')).toBe('finished')
})

test('a copy on another worker saves the result', () => {
  const mesh = createMesh()
  mesh.workers(2)
  mesh.submit(['a'])
  mesh.finish('a', { bytes: 1_000 })
  mesh.join('w2', { objects: ['a'] })
  mesh.effects()
  mesh.leave('w1')
  expect(mesh.effects()).toEqual([])
  expect([...(mesh.task('a').holders ?? [])]).toEqual(['w2'])
})

/**
 *  a ── b ── c      every result a released object on w1, except c, which the client holds
 */
test('a chain of lost intermediates is computed again from its first', () => {
  const mesh = createMesh()
  mesh.workers(1)
  mesh.submit(['a', ['b', 'a'], ['c', 'b']])
  mesh.release('a', 'b')
  for (const name of ['a', 'b', 'c']) mesh.finish(name, { bytes: 1_000 })
  mesh.lose('w1')
  expect(['a', 'b', 'c'].map((name) => mesh.status(name))).toEqual(['is queued', 'waits for 1', 'waits for 1'])
  mesh.join('w2')
  for (const name of ['a', 'b', 'c']) mesh.finish(name, { bytes: 1_000 })
  expect(mesh.status('c')).toBe('finished')
  expect([...mesh.state.workers.values()].map(({ objects }) => [...objects])).toEqual([[mesh.idOf('c')]])
})

test('a chain of 20,000 lost intermediates is found without deep recursion', () => {
  const count = 20_000
  const mesh = createMesh({}, { verifies: false })
  mesh.workers(1)
  mesh.submit(Array.from({ length: count }, (_, i) => (i === 0 ? 'c0' : ([`c${i}`, `c${i - 1}`] as const))))
  for (let i = 0; i < count - 1; i++) mesh.release(`c${i}`)
  for (let i = 0; i < count; i++) mesh.finish(`c${i}`, { bytes: 1_000 })
  mesh.leave('w1')
  expect(mesh.state.counts).toMatchObject({ waiting: count - 1, queued: 1, finished: 0 })
})

test('dependents that wait, are queued or are on another worker each take the loss in their way', () => {
  const mesh = createMesh()
  mesh.join('w1')
  mesh.submit(['a', 'z'])
  mesh.finish('a', { bytes: 1_000 })
  mesh.join('w2')
  mesh.submit([
    ['onWorker', 'a'],
    ['queued', 'a'],
    ['waits', 'a', 'z'],
  ])
  expect(['z', 'onWorker', 'queued', 'waits'].map((name) => mesh.status(name))).toEqual([
    'is on w1',
    'is on w2',
    'is queued',
    'waits for 1',
  ])
  mesh.drop('w1', 'a')
  expect(['a', 'onWorker', 'queued', 'waits'].map((name) => mesh.status(name))).toEqual([
    'is queued',
    'is on w2',
    'waits for 1',
    'waits for 2',
  ])
  mesh.finish('z')
  mesh.finish('a', { bytes: 1_000 })
  expect(mesh.status('queued')).toBe('is on w1')
  mesh.finish('onWorker')
  expect(mesh.status('waits')).toBe('is on w2')
})

test('a task and its input that are lost with one worker run again in order', () => {
  const mesh = createMesh()
  mesh.workers(1)
  mesh.submit(['a', ['b', 'a'], ['c', 'b']])
  mesh.finish('a', { bytes: 1_000 })
  mesh.start('b')
  mesh.lose('w1')
  expect(['a', 'b', 'c'].map((name) => mesh.status(name))).toEqual(['is queued', 'waits for 1', 'waits for 1'])
  expect(['a', 'b', 'c'].map((name) => mesh.task(name).losses)).toEqual([0, 1, 0])
})

test('a result whose own input is a lost buffer cannot be computed again: it fails, and so does what wants it', () => {
  const mesh = createMesh()
  mesh.open('s')
  mesh.workers(1)
  mesh.scatter('w1', 'x', 's')
  mesh.submit(
    [
      ['a', 'x'],
      ['b', 'a'],
    ],
    { session: 's' },
  )
  mesh.finish('a', { bytes: 1_000 })
  mesh.lose('w1')
  expect(mesh.failure('a')).toMatchObject({ kind: 'input', reason: 'INPUT_LOST' })
  expect(mesh.failure('b')).toMatchObject({ reason: 'INPUT_FAILED', cause: { reason: 'INPUT_LOST' } })
})

test('a result whose input belongs to a forgotten job cannot be computed again', () => {
  const mesh = createMesh({ maxSettledJobs: 1 })
  mesh.workers(1)
  mesh.submit(['a'])
  mesh.finish('a')
  mesh.submit([['b', 'a']])
  mesh.finish('b', { bytes: 1_000 })
  mesh.tick()
  expect([...mesh.state.jobs.keys()]).toEqual(['j2'])
  mesh.lose('w1')
  expect(mesh.failure('b')).toMatchObject({
    reason: 'INPUT_LOST',
    message: expect.stringContaining('j1/0 is forgotten') as string,
  })
})

test('a lost result of a cancelled job is computed again only for another job that needs it', () => {
  const mesh = createMesh()
  mesh.workers(1)
  mesh.submit(['a', 'b', 'c'])
  mesh.finish('a', { bytes: 1_000 })
  mesh.finish('b', { bytes: 1_000 })
  mesh.cancelJob('j1')
  mesh.join('w2', { slots: 0 })
  mesh.submit([['d', 'b', 'a']], { job: 'other' })
  mesh.cancel('d')
  mesh.submit([['e', 'b']], { job: 'another' })
  mesh.leave('w1')
  expect(mesh.failure('a')).toMatchObject({ kind: 'cancelled', reason: 'CANCELLED' })
  expect(mesh.status('b')).toBe('is queued')
  expect(mesh.status('e')).toBe('waits for 1')
})

test('a task whose inputs share a lost ancestor that cannot be had fails once', () => {
  const mesh = createMesh()
  mesh.workers(1)
  mesh.scatter('w1', 'x')
  mesh.submit([
    ['a', 'x'],
    ['b', 'x'],
    ['c', 'a', 'b'],
  ])
  mesh.release('a', 'b')
  mesh.finish('a', { bytes: 1_000 })
  mesh.finish('b', { bytes: 1_000 })
  mesh.start('c')
  mesh.lose('w1')
  expect(mesh.failure('c')).toMatchObject({ kind: 'input' })
  expect(mesh.state.counts).toMatchObject({ waiting: 0, queued: 0, running: 0 })
})
