import { expect, test } from 'vitest'

import type { ObjectId, WorkerId } from '#libs/domain'

import { createMesh } from './testing/mesh.js'

test('a worker that comes back in time goes on with what it runs', () => {
  const mesh = createMesh()
  mesh.workers(2)
  mesh.submit(['a'])
  const ref = mesh.ref('a')
  mesh.cut('w1')
  mesh.pass(1_000)
  mesh.effects()
  mesh.join('w1', { attempts: [ref] })
  expect(mesh.effects()).toEqual([])
  expect(mesh.status('a')).toBe('runs on w1')
  mesh.pass(10_000)
  mesh.finish('a')
  expect(mesh.effects()).toEqual(['acknowledge a#1 to w1', 'tell nobody a finished', 'tell nobody job j1'])
})

test('a command that was lost in the cut is sent again as another attempt, uncharged', () => {
  const mesh = createMesh()
  mesh.workers(1)
  mesh.submit(['a'])
  mesh.cut('w1')
  mesh.effects()
  mesh.join('w1')
  expect(mesh.effects()).toEqual(['cancel a#1 on w1', 'run a#2 on w1'])
  expect(mesh.task('a').losses).toBe(0)
})

test('attempts of which another one took the place are stopped', () => {
  const mesh = createMesh()
  mesh.workers(2)
  mesh.submit(['a'])
  const ref = mesh.ref('a')
  mesh.lose('w1')
  expect(mesh.status('a')).toBe('is on w2')
  mesh.effects()
  mesh.join('w1', { attempts: [ref] })
  expect(mesh.effects()).toEqual(['cancel a#1 on w1'])
  expect(mesh.status('a')).toBe('is on w2')
})

test('a worker that comes back late goes on with what nobody else took', () => {
  const mesh = createMesh()
  mesh.workers(1)
  mesh.submit(['a', 'b'])
  const ref = mesh.ref('a')
  mesh.start('a')
  mesh.lose('w1')
  expect(mesh.status('a')).toBe('is queued')
  mesh.effects()
  mesh.join('w1', { attempts: [ref] })
  expect(mesh.effects()).toEqual([])
  expect([mesh.status('a'), mesh.status('b')]).toEqual(['runs on w1', 'is queued'])
  mesh.finish('a')
  expect(mesh.status('a')).toBe('finished')
})

test('two workers that claim the same attempt: the first has it', () => {
  const mesh = createMesh()
  mesh.workers(1)
  mesh.submit(['a'])
  const ref = mesh.ref('a')
  mesh.lose('w1')
  mesh.join('w1', { attempts: [ref] })
  mesh.effects()
  mesh.join('w2', { attempts: [ref] })
  expect(mesh.effects()).toEqual(['cancel a#1 on w2'])
})

test('an attempt that ended or was given back cannot be claimed again', () => {
  const mesh = createMesh()
  mesh.workers(1)
  mesh.submit(['a', 'b'])
  const ref = mesh.ref('a')
  mesh.giveBack('w1', 'a')
  mesh.effects()
  mesh.join('w1', { attempts: [ref] })
  expect(mesh.effects()).toEqual(['cancel a#1 on w1', 'drain w1'])
  expect(mesh.status('a')).toBe('is queued')
})

test('attempts of unknown, settled and cancelled tasks are stopped', () => {
  const mesh = createMesh()
  mesh.workers(3)
  mesh.submit(['settled', 'cancelled'])
  const refs = [mesh.ref('settled'), mesh.ref('cancelled'), { ...mesh.ref('settled'), jobId: 'unknown' as never }]
  mesh.finish('settled')
  mesh.cancel('cancelled')
  mesh.effects()
  mesh.join('w1', { attempts: refs })
  expect(mesh.effects()).toEqual(['cancel settled#1 on w1', 'cancel cancelled#1 on w1', 'cancel unknown/0#1 on w1'])
})

test('what a worker holds no longer when it comes back is lost', () => {
  const mesh = createMesh()
  mesh.workers(1)
  mesh.submit(['a', 'b'])
  mesh.finish('a', { bytes: 1_000 })
  const ref = mesh.ref('b')
  mesh.cut('w1')
  mesh.effects()
  mesh.join('w1', { attempts: [ref] })
  expect(mesh.effects()).toEqual(['tell nobody a is lost'])
  expect(mesh.status('a')).toBe('is queued')
})

test('what it still holds is not lost, even a released intermediate that a waiting task needs', () => {
  const mesh = createMesh()
  mesh.workers(1)
  mesh.submit(['a', 'z', ['b', 'a', 'z']])
  mesh.finish('a', { bytes: 1_000 })
  mesh.release('a')
  const ref = mesh.ref('z')
  mesh.cut('w1')
  mesh.effects()
  mesh.join('w1', { attempts: [ref], objects: ['a'] })
  expect(mesh.effects()).toEqual([])
  expect([...(mesh.task('a').holders ?? [])]).toEqual(['w1'])
})

test('an object whose report is still to come is kept', () => {
  const mesh = createMesh()
  mesh.workers(1)
  mesh.submit(['a'])
  const ref = mesh.ref('a')
  mesh.cut('w1')
  mesh.effects()
  mesh.join('w1', { attempts: [ref], objects: ['a'] })
  expect(mesh.effects()).toEqual([])
  mesh.finish('a', { bytes: 1_000 })
  expect([...(mesh.task('a').holders ?? [])]).toEqual(['w1'])
})

test('objects that nobody wants, that are unknown, or that a lost attempt made are released', () => {
  const mesh = createMesh()
  mesh.workers(2)
  mesh.submit(['released', 'small', 'other', 'running'])
  mesh.release('released')
  mesh.finish('released', { bytes: 1_000 })
  mesh.finish('small')
  mesh.finish('other', { bytes: 1_000 })
  mesh.effects()
  const ofAnotherAttempt = { ...mesh.held('other'), descriptor: new TextEncoder().encode('another value') }
  mesh.join('w3', { objects: ['released', 'small', ofAnotherAttempt, 'running', 'o-unknown'] })
  expect(mesh.effects()).toEqual(
    ['released', 'small', 'other', 'running', 'o-unknown'].map((name) => `release ${name} on w3`),
  )
  expect([...(mesh.task('other').holders ?? [])]).toEqual(['w1'])
})

test('a lost buffer is there again when its holder comes back late', () => {
  const mesh = createMesh()
  mesh.workers(1)
  mesh.scatter('w1', 'x')
  mesh.lose('w1')
  mesh.join('w1', { objects: ['x'] })
  mesh.submit([['a', 'x']])
  expect(mesh.status('a')).toBe('is on w1')
})

test('a worker that was told to drain is told again when it comes back', () => {
  const mesh = createMesh()
  mesh.workers(1)
  mesh.happen({ kind: 'drainRequested', workerId: 'w1' as WorkerId, onlyIfIdle: false })
  mesh.cut('w1')
  mesh.effects()
  mesh.join('w1')
  expect(mesh.effects()).toEqual(['drain w1'])
})

test('a worker that joins twice without a cut keeps what it runs', () => {
  const mesh = createMesh()
  mesh.workers(1, 2)
  mesh.submit(['a', 'b'])
  const refs = [mesh.ref('a'), mesh.ref('b')]
  mesh.effects()
  mesh.join('w1', { slots: 3, attempts: refs })
  expect(mesh.effects()).toEqual([])
  expect(mesh.state.workers.get('w1' as WorkerId)).toMatchObject({ longTasks: 2, profile: { slots: 3 } })
})

test('a scattered buffer whose report a cut swallowed is repeated with the hello, and not released before', () => {
  const mesh = createMesh()
  mesh.workers(1)
  mesh.cut('w1')
  mesh.effects()
  const stored = [{ requestId: 'stored-x', sessionId: undefined, objects: [mesh.held('o-x')] }]
  mesh.join('w1', { stored })
  expect(mesh.effects()).toEqual(['acknowledge stored-x to w1'])
  expect([...(mesh.state.objects.get('o-x' as ObjectId)?.holders ?? [])]).toEqual(['w1'])
})

test('a report of which only the acknowledgement was cut off changes nothing, and is acknowledged again', () => {
  const mesh = createMesh()
  mesh.workers(1)
  mesh.scatter('w1', 'x')
  mesh.submit([['a', 'x']])
  const ref = mesh.ref('a')
  mesh.cut('w1')
  mesh.effects()
  const stored = [{ requestId: 'stored-x', sessionId: undefined, objects: [mesh.held('x')] }]
  mesh.join('w1', { attempts: [ref], stored })
  expect(mesh.effects()).toEqual(['acknowledge stored-x to w1'])
  expect(mesh.status('a')).toBe('runs on w1')
})
