import { expect, test } from 'vitest'

import type { WorkerId } from '#libs/domain'

import { explainTask } from './explain.js'
import { unheardPulse } from './pulse.js'
import { createMesh, type Mesh } from './testing/mesh.js'

/** Tasks of this kind take 1 s. */
const usual = { kind: 'usual' }

/** The worker has measured that it gets so many bytes a second. */
function measure(mesh: Mesh, worker: string, fetchBytesPerSecond: number, isPaused = false): void {
  const pulse = { ...unheardPulse, fetchBytesPerSecond, isPaused }
  mesh.happen({ kind: 'workerHeard', workerId: worker as WorkerId, pulse })
}

function drain(mesh: Mesh, worker: string): void {
  mesh.happen({ kind: 'drainRequested', workerId: worker as WorkerId, onlyIfIdle: false })
}

/** The `holder` has 100 MB, `x`, and runs `running`, which should take 1 s; `idle` gets 10 MB a second and has nothing to do. */
function createBusyMesh({ kind = usual.kind, slots = 1 } = {}): Mesh {
  const mesh = createMesh()
  mesh.join('holder', { slots })
  mesh.submit(['learnt', 'small'], usual)
  for (const name of ['learnt', 'small']) mesh.finish(name, { runMs: 1_000 })
  mesh.scatter('holder', 'x', undefined, 100_000_000)
  mesh.submit(
    Array.from({ length: slots }, (_, i) => (i === 0 ? 'running' : `running${i}`)),
    { kind },
  )
  mesh.start('running')
  mesh.join('idle')
  measure(mesh, 'idle', 10_000_000)
  mesh.effects()
  return mesh
}

test('a task waits for its holder when a slot is free there long before its inputs could be moved', () => {
  const mesh = createBusyMesh()
  mesh.submit([['a', 'x']], usual)
  expect(mesh.status('a')).toBe('is queued')
  mesh.nowMs += 1_000
  mesh.finish('running', { runMs: 1_000 })
  expect(mesh.effects()).toContain('run a#1 on holder')
})

test('it says for whom it waits, and why', () => {
  const mesh = createBusyMesh()
  mesh.submit([['a', 'x']], usual)
  mesh.nowMs += 400
  expect(explainTask(mesh.state, mesh.task('a'), mesh.nowMs)).toBe(
    'task j3/0 (a) waits for worker holder (host), which holds 100 MB of its inputs: moving them takes 10.01 s, ' +
      'its slot is free in about 600 ms; in 1.70 s at most it goes where there is room',
  )
})

test('nobody stands behind one that waits, of the same job or of another', () => {
  const mesh = createBusyMesh()
  mesh.submit([['a', 'x'], 'b'], usual)
  expect([mesh.status('a'), mesh.status('b')]).toEqual(['is queued', 'is on idle'])
  mesh.finish('b', { runMs: 1_000 })
  mesh.submit(['c'], usual)
  expect(mesh.status('c')).toBe('is on idle')
})

test('it does not wait where the end of what runs cannot be told', () => {
  const unknown = createBusyMesh({ kind: 'unknown' })
  unknown.submit([['a', 'x']], usual)
  expect(unknown.status('a')).toBe('is on idle')
  const family = createBusyMesh()
  family.submit(['child'], { parent: 'running' })
  family.finish('child')
  family.submit([['a', 'x']], usual)
  expect(family.status('a')).toBe('is on idle')
})

test('the later what runs there is, the later it is taken to end', () => {
  const mesh = createBusyMesh()
  mesh.nowMs += 10_000
  mesh.submit([['a', 'x']], usual)
  expect(mesh.status('a')).toBe('is queued')
  mesh.cancel('a')
  mesh.nowMs += 1_100
  mesh.submit([['b', 'x']], usual)
  expect(mesh.status('b')).toBe('is on idle')
})

test('what was sent there and has not begun, because its own inputs come first, may begin as late again', () => {
  const mesh = createBusyMesh()
  mesh.finish('running', { runMs: 1_000 })
  mesh.submit(['next'], { ...usual, on: ['holder'] })
  mesh.nowMs += 9_500
  mesh.submit([['a', 'x']], usual)
  expect(mesh.status('a')).toBe('is on idle')
})

test('it does not wait when the bytes would be there first', () => {
  const fast = createBusyMesh()
  measure(fast, 'idle', 1e9)
  fast.submit([['a', 'x']], usual)
  expect(fast.status('a')).toBe('is on idle')
})

test('through shared memory they would, as long as nothing else was measured', () => {
  const near = createBusyMesh()
  measure(near, 'idle', 0)
  near.submit([['a', 'x']], usual)
  expect(near.status('a')).toBe('is on idle')
  const far = createBusyMesh()
  far.finish('running')
  far.submit(['again'], usual)
  far.start('again')
  drain(far, 'idle')
  far.join('remote', { host: 'elsewhere' })
  far.scatter('holder', 'y', undefined, 1_000_000_000)
  far.submit([['a', 'y']], usual)
  expect(far.status('a')).toBe('is queued')
})

test('the line at a holder grows until moving is faster', () => {
  const mesh = createBusyMesh()
  const names = Array.from({ length: 12 }, (_, i) => `t${i}`)
  mesh.submit(
    names.map((name) => [name, 'x']),
    usual,
  )
  const placed = names.filter((name) => mesh.status(name) === 'is on idle')
  // In 10 s the one that runs and nine that wait are through.
  expect(placed).toEqual(['t10'])
  for (let i = 0; i < 10; i++) {
    mesh.finish(i === 0 ? 'running' : `t${i - 1}`, { runMs: 1_000 })
    expect(mesh.status(`t${i}`)).toBe('is on holder')
  }
})

test('slots that come free one after the other take what waits in turn', () => {
  const mesh = createBusyMesh({ slots: 2 })
  mesh.nowMs += 500
  mesh.start('running1')
  mesh.submit(
    ['a', 'b', 'c'].map((name) => [name, 'x']),
    usual,
  )
  mesh.finish('running', { runMs: 1_000 })
  expect(['a', 'b', 'c'].map((name) => mesh.status(name))).toEqual(['is on holder', 'is queued', 'is queued'])
  mesh.finish('running1', { runMs: 1_000 })
  expect(['a', 'b', 'c'].map((name) => mesh.status(name))).toEqual(['is on holder', 'is on holder', 'is queued'])
})

test('who waited too long by what was expected goes where there is room', () => {
  const mesh = createBusyMesh()
  mesh.submit([['a', 'x']], usual)
  mesh.nowMs += 2_000
  mesh.tick()
  expect(mesh.status('a')).toBe('is queued')
  mesh.nowMs += 101
  mesh.tick()
  expect(mesh.status('a')).toBe('is on idle')
})

test('it waits no longer than moving would have taken', () => {
  const mesh = createBusyMesh()
  measure(mesh, 'idle', 90_000_000)
  mesh.submit([['a', 'x']], usual)
  mesh.nowMs += 1_200
  mesh.tick()
  expect(mesh.status('a')).toBe('is on idle')
})

test('who has the inputs as well and is free takes it at once', () => {
  const mesh = createBusyMesh()
  mesh.submit([['a', 'x']], usual)
  mesh.nowMs += 100
  mesh.join('other', { objects: [mesh.held('x', 100_000_000)] })
  expect(mesh.status('a')).toBe('is on other')
})

test.each([
  ['leaves', (mesh: Mesh) => mesh.leave('holder')],
  ['is cut off', (mesh: Mesh) => mesh.cut('holder')],
  ['pauses', (mesh: Mesh) => measure(mesh, 'holder', 0, true)],
  ['drains', (mesh: Mesh) => drain(mesh, 'holder')],
])('nobody waits for a holder that %s', (_, end) => {
  const mesh = createBusyMesh()
  // There is room for what the holder leaves behind as well.
  mesh.join('idle', { slots: 2 })
  mesh.join('third', { objects: [mesh.held('x', 100_000_000)] })
  mesh.submit(['busy'], { kind: 'unknown', on: ['third'] })
  mesh.submit([['a', 'x']], usual)
  expect(mesh.status('a')).toBe('is queued')
  end(mesh)
  mesh.nowMs += 60
  mesh.tick()
  expect(mesh.status('a')).toBe('is on idle')
})

test('a slot of the holder goes to a higher priority first, and to a job with fewer tasks on workers', () => {
  const mesh = createBusyMesh()
  mesh.submit([['a', 'x']], usual)
  mesh.submit(['occupies'], { kind: 'unknown', on: ['idle'] })
  mesh.submit(['urgent'], { ...usual, priority: 1 })
  mesh.finish('running', { runMs: 1_000 })
  expect([mesh.status('urgent'), mesh.status('a')]).toEqual(['is on holder', 'is queued'])
  mesh.finish('urgent', { runMs: 1_000 })
  expect(mesh.status('a')).toBe('is on holder')

  const fair = createBusyMesh()
  fair.submit(['first', ['a', 'x']], usual)
  expect([fair.status('first'), fair.status('a')]).toEqual(['is on idle', 'is queued'])
  fair.submit(['b'], usual)
  fair.finish('running', { runMs: 1_000 })
  expect([fair.status('b'), fair.status('a')]).toEqual(['is on holder', 'is queued'])
})

test('a chain on the holder goes on link by link while others wait for its slot', () => {
  const mesh = createMesh()
  mesh.join('holder')
  mesh.submit(['learnt'], { kind: 'short' })
  mesh.finish('learnt', { runMs: 5 })
  mesh.submit(['learnt long'], usual)
  mesh.finish('learnt long', { runMs: 1_000 })
  mesh.scatter('holder', 'x', undefined, 100_000_000)
  mesh.submit(['r'], { kind: 'short' })
  mesh.join('idle')
  measure(mesh, 'idle', 10_000_000)
  mesh.submit([['a', 'x']], usual)
  expect(mesh.status('a')).toBe('is queued')
  mesh.submit(['s'], { kind: 'long', on: ['idle'] })
  mesh.submit([['second', 'r']], { kind: 'short' })
  expect(mesh.status('second')).not.toBe('is on holder')
  mesh.finish('r', { runMs: 5 })
  expect(mesh.status('a')).toBe('is on holder')
})

test('what is cancelled waits for nobody; its place in the line is for the next', () => {
  const mesh = createBusyMesh()
  mesh.submit(
    [
      ['a', 'x'],
      ['b', 'x'],
    ],
    usual,
  )
  mesh.cancel('a')
  mesh.finish('running', { runMs: 1_000 })
  expect(mesh.status('b')).toBe('is on holder')
  mesh.nowMs += 60
  mesh.tick()
  expect(mesh.state.holderLines.size).toBe(0)
})

test('of the pinned nobody waits by choice', () => {
  const mesh = createBusyMesh()
  mesh.submit([['a', 'x']], { ...usual, on: ['idle'] })
  expect(mesh.status('a')).toBe('is on idle')
})
