import { describe, expect, test } from 'vitest'

import type { WorkerId } from '#libs/domain'

import { unheardPulse } from './pulse.js'
import { createMesh } from './testing/mesh.js'

const w1 = 'w1' as WorkerId

test('a lost worker: what it ran is charged and runs elsewhere', () => {
  const mesh = createMesh()
  mesh.workers(2)
  mesh.submit(['a'])
  mesh.start('a')
  mesh.cut('w1')
  mesh.effects()
  mesh.pass(2_500)
  expect(mesh.effects()).toEqual(['dismiss w1', 'run a#2 on w2'])
  expect(mesh.task('a').losses).toBe(1)
})

test('a task that is lost more often than allowed fails', () => {
  const mesh = createMesh({ maxLosses: 2 })
  mesh.submit(['a', ['b', 'a']])
  for (const worker of ['w1', 'w2', 'w3']) {
    mesh.join(worker)
    mesh.start('a')
    mesh.lose(worker)
  }
  expect(mesh.failure('a')).toMatchObject({ kind: 'workerLost', reason: 'WORKER_LOST', attempts: 3 })
  expect(mesh.failure('a').message).toContain(
    'was lost 3 times, the last time because worker w3 was lost (its link broke)',
  )
  expect(mesh.status('b')).toBe('failed: input INPUT_FAILED')
})

test('a start that was not heard of counts: a task that ends its worker at once is charged too', () => {
  const mesh = createMesh()
  mesh.workers(1)
  mesh.submit(['a'])
  mesh.lose('w1')
  expect(mesh.task('a').losses).toBe(1)
})

test('what was only sent ahead is not charged; nor is what ran, when its end and the next start may not have been said yet', () => {
  const mesh = createMesh()
  mesh.workers(1)
  mesh.submit(['warmUp'])
  mesh.finish('warmUp', { runMs: 5 })
  mesh.submit(['a', 'b', 'c'])
  expect(['a', 'b', 'c'].map((name) => mesh.status(name))).toEqual(['is on w1', 'is on w1', 'is on w1'])
  mesh.start('b')
  mesh.lose('w1')
  expect(['a', 'b', 'c'].map((name) => mesh.task(name).losses)).toEqual([0, 0, 0])
  // It is looked at alone.
  mesh.join('w2')
  expect(mesh.status('b')).toBe('is on w2')
  mesh.lose('w2')
  expect(['a', 'b', 'c'].map((name) => mesh.task(name).losses)).toEqual([0, 1, 0])
})

test('of those that ran before everything is said at once: what is said to run is charged', () => {
  const mesh = createMesh()
  mesh.workers(1)
  mesh.submit(['warmUp'])
  mesh.finish('warmUp', { runMs: 5 })
  mesh.submit(['a', 'b', 'c'], { retry: { maxAttempts: { userError: 2 } } })
  for (const name of ['a', 'b', 'c']) mesh.fail(name)
  mesh.pass(10_000)
  mesh.start('b')
  mesh.lose('w1')
  expect(['a', 'b', 'c'].map((name) => mesh.task(name).losses)).toEqual([0, 1, 0])
})

test('a worker that leaves in order: nobody is charged, sole copies are computed again', () => {
  const mesh = createMesh()
  mesh.workers(1)
  mesh.submit(['a', 'b'])
  mesh.finish('a', { bytes: 1_000 })
  mesh.start('b')
  mesh.effects()
  mesh.leave('w1')
  expect(mesh.effects()).toEqual(['tell nobody a is lost'])
  expect(['a', 'b'].map((name) => [mesh.status(name), mesh.task(name).losses])).toEqual([
    ['is queued', 0],
    ['is queued', 0],
  ])
  expect(mesh.state.workers.size).toBe(0)
})

test('a silent worker is lost even when its link looks well; any report is a sign of life', () => {
  const mesh = createMesh()
  mesh.workers(1, 2)
  mesh.submit(['a', 'b'])
  const wait = (ms: number): void => {
    for (const untilMs = mesh.nowMs + ms; mesh.nowMs < untilMs;) {
      mesh.nowMs += 1_000
      mesh.tick()
    }
  }
  wait(29_000)
  mesh.start('a')
  wait(29_000)
  mesh.finish('a')
  wait(30_000)
  expect(mesh.state.workers.size).toBe(1)
  wait(1_000)
  expect(mesh.state.workers.size).toBe(0)
  expect(mesh.status('b')).toBe('is queued')
})

test('while the scheduler itself stood still nobody was silent', () => {
  const mesh = createMesh()
  mesh.open('s')
  mesh.workers(2)
  mesh.submit(['a'], { session: 's' })
  mesh.tick()
  mesh.cut('w2')
  mesh.close('s')
  mesh.effects()
  mesh.nowMs += 8 * 3_600_000
  mesh.tick()
  expect(mesh.effects()).toEqual([])
  mesh.pass(61_000)
  expect(mesh.effects()).toContain('dismiss w2')
  expect(mesh.status('a')).toBe('failed: cancelled CANCELLED')
})

test('a worker whose link is cut gets no tasks meanwhile', () => {
  const mesh = createMesh()
  mesh.workers(1)
  mesh.cut('w1')
  mesh.submit(['a'])
  expect(mesh.effects()).toEqual(['answer j1'])
  mesh.join('w1')
  expect(mesh.effects()).toEqual(['run a#1 on w1'])
})

test('tasks given back are sent elsewhere, uncharged, and the worker gets no more', () => {
  const mesh = createMesh()
  mesh.workers(1)
  mesh.submit(['a'])
  mesh.effects()
  mesh.giveBack('w1', 'a')
  expect(mesh.effects()).toEqual([])
  mesh.join('w2')
  expect(mesh.effects()).toEqual(['run a#2 on w2'])
  expect(mesh.task('a').losses).toBe(0)
})

test('tasks given back twice, or by another worker, are given back once', () => {
  const mesh = createMesh()
  mesh.workers(1)
  mesh.submit(['a'])
  const ref = mesh.ref('a')
  mesh.giveBack('w1', 'a')
  mesh.join('w2')
  mesh.effects()
  for (const workerId of ['w1', 'unknown'] as WorkerId[])
    mesh.happen({ kind: 'tasksReturned', workerId, attempts: [ref] })
  expect(mesh.effects()).toEqual([])
  expect(mesh.status('a')).toBe('is on w2')
})

test('a draining worker finishes what it has and gets no more', () => {
  const mesh = createMesh()
  mesh.workers(1)
  mesh.submit(['a', 'b'])
  mesh.effects()
  mesh.happen({ kind: 'drainRequested', callId: 1, workerId: 'w1' as WorkerId, onlyIfIdle: false })
  mesh.finish('a')
  expect(mesh.effects()).toEqual(['drain w1', 'answer yes', 'acknowledge a#1 to w1', 'tell nobody a finished'])
  expect(mesh.status('b')).toBe('is queued')
})

test('only an idle worker drains when idleness is asked for; what it holds it will hand over', () => {
  const mesh = createMesh()
  mesh.workers(1)
  const drain = (): void =>
    mesh.happen({ kind: 'drainRequested', callId: 1, workerId: 'w1' as WorkerId, onlyIfIdle: true })
  mesh.submit(['a'])
  mesh.effects()
  drain()
  expect(mesh.effects()).toEqual(['refuse WORKER_BUSY'])
  mesh.finish('a', { bytes: 1_000 })
  mesh.effects()
  drain()
  expect(mesh.effects()).toEqual(['drain w1', 'answer yes'])
})

test('nobody can drain a worker that is gone', () => {
  const mesh = createMesh()
  mesh.happen({ kind: 'drainRequested', callId: 1, workerId: 'w1' as WorkerId, onlyIfIdle: false })
  expect(mesh.effects()).toEqual(['refuse WORKER_NOT_FOUND'])
})

describe('a worker whose memory is nearly full', () => {
  test('gets no tasks, what it gives back goes elsewhere, and it gets some again when there is room', () => {
    const mesh = createMesh()
    mesh.workers(2)
    mesh.submit(['a'])
    mesh.effects()
    mesh.happen({ kind: 'workerHeard', workerId: w1, pulse: { ...unheardPulse, isPaused: true } })
    mesh.giveRecalled('w1', 'a')
    expect(mesh.effects()).toEqual(['run a#2 on w2'])
    mesh.submit(['b'])
    expect(mesh.effects()).toEqual(['answer j2'])
    mesh.happen({ kind: 'workerHeard', workerId: w1, pulse: { ...unheardPulse, isPaused: false } })
    mesh.tick()
    expect(mesh.effects()).toEqual(['run b#1 on w1'])
  })
})

test('events of an unknown worker change nothing', () => {
  const mesh = createMesh()
  mesh.submit(['a'])
  mesh.effects()
  const workerId = 'unknown' as WorkerId
  mesh.happen({ kind: 'workerHeard', workerId, pulse: unheardPulse })
  mesh.happen({ kind: 'workerUnlinked', workerId })
  mesh.happen({ kind: 'workerLeft', workerId })
  mesh.happen({ kind: 'objectsDropped', workerId, objectIds: [mesh.idOf('a')] })
  mesh.scatter('unknown', 'x')
  expect(mesh.effects()).toEqual([])
  expect(mesh.state.objects.size).toBe(0)
})
