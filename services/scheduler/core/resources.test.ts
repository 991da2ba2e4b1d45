import { expect, test } from 'vitest'

import type { WorkerId } from '#libs/domain'

import { createMesh, type Mesh } from './testing/mesh.js'

const names = (count: number, prefix = 't'): string[] => Array.from({ length: count }, (_, i) => `${prefix}${i}`)
const on = (mesh: Mesh, worker: string): string[] =>
  [...(mesh.state.workers.get(worker as WorkerId)?.tasks ?? [])].map(({ spec }) => spec.name)

test('who waits for a device keeps nobody waiting who needs none (R7)', () => {
  const mesh = createMesh()
  mesh.join('w1', { slots: 4, resources: { gpu: 1, licence: 1 } })
  mesh.submit(['gpu1', 'gpu2'], { resources: { gpu: 1 }, priority: 1 })
  mesh.submit(['licensed'], { resources: { licence: 1 } })
  expect(on(mesh, 'w1')).toEqual(['gpu1', 'licensed'])
  expect(mesh.status('gpu2')).toBe('is queued')
  mesh.finish('gpu1')
  expect(mesh.status('gpu2')).toBe('is on w1')
})

test('a task goes where all that it takes is free', () => {
  const mesh = createMesh()
  mesh.join('small', { slots: 4, memoryLimitBytes: 1e9, resources: { gpu: 2 } })
  mesh.join('large', { slots: 4, memoryLimitBytes: 4e9, resources: { gpu: 1 } })
  mesh.submit(['a', 'b', 'c'], { resources: { memory: 2e9, gpu: 0.5 } })
  expect([on(mesh, 'small'), on(mesh, 'large')]).toEqual([[], ['a', 'b']])
  mesh.submit(names(2, 'whole'), { resources: { gpu: 2, memory: 1e9 } })
  expect(on(mesh, 'small')).toEqual(['whole0'])
})

test('a worker without a memory limit takes what asks for memory', () => {
  const mesh = createMesh()
  mesh.workers(1)
  mesh.submit(['a'], { resources: { memory: 1e12 } })
  expect(mesh.status('a')).toBe('is on w1')
})

test('a task of several slots gets them, though many of one slot wait', () => {
  const mesh = createMesh()
  mesh.join('w1', { slots: 3 })
  mesh.submit(names(100))
  mesh.submit(['wide'], { resources: { cpu: 3 } })
  mesh.submit(['wider'], { resources: { cpu: 4 } })
  for (const name of ['t0', 't1']) mesh.finish(name)
  expect(on(mesh, 'w1')).toEqual(['t2'])
  mesh.finish('t2')
  expect(on(mesh, 'w1')).toEqual(['wide'])
  mesh.finish('wide')
  expect(on(mesh, 'w1')).toEqual(['t3', 't4', 't5'])
  expect(mesh.status('wider')).toBe('is queued')
})

test('a task that needs a device gets its slot, though short tasks are sent ahead', () => {
  const mesh = createMesh()
  mesh.join('w1', { slots: 1, resources: { gpu: 1 } })
  mesh.submit(['first'])
  mesh.finish('first', { runMs: 1 })
  mesh.submit(names(100))
  mesh.submit(['gpu'], { resources: { gpu: 1 }, kind: 'solve' })
  const ahead = on(mesh, 'w1').length
  expect(ahead).toBeGreaterThan(1)
  for (let i = 0; i < ahead; i++) mesh.finish(`t${i}`, { runMs: 1 })
  expect(on(mesh, 'w1')).toEqual(['gpu'])
})

test('higher priorities come first, whatever was submitted before', () => {
  const mesh = createMesh()
  mesh.submit(['low'], { priority: -1 })
  mesh.submit(['plain'])
  mesh.submit(['high1', 'high2'], { priority: 5 })
  mesh.workers(1)
  const order = ['high1', 'high2', 'plain', 'low']
  for (const name of order) mesh.finish(name)
  expect(mesh.effects().filter((line) => line.startsWith('run'))).toEqual(order.map((name) => `run ${name}#1 on w1`))
})

test('jobs of one priority have equal shares: a small one is not stuck behind a large one', () => {
  const mesh = createMesh({}, { verifies: false })
  mesh.workers(1, 4)
  mesh.submit(names(100_000))
  mesh.submit(names(3, 'small'))
  mesh.submit(names(3, 'late'))
  for (let i = 0; i < 3; i++) mesh.finish(`t${i}`)
  expect(on(mesh, 'w1')).toEqual(['t3', 'small0', 'late0', 't4'])
})

test('a pinned task runs there and nowhere else, and waits while that worker is gone', () => {
  const mesh = createMesh()
  mesh.join('w1', { host: 'here' })
  mesh.join('w2', { host: 'there' })
  mesh.submit(['a', 'b'], { on: ['w2'] })
  mesh.submit(['c', 'd'], { host: 'here' })
  expect([on(mesh, 'w1'), on(mesh, 'w2')]).toEqual([['c'], ['a']])
  mesh.leave('w2')
  expect([mesh.status('a'), mesh.status('b')]).toEqual(['is queued', 'is queued'])
  mesh.join('w2')
  expect(on(mesh, 'w2')).toHaveLength(1)
})

test('a task that may have ended its worker goes where it can run, and keeps no others waiting when there is none', () => {
  const mesh = createMesh()
  mesh.join('w1', { slots: 2, resources: { gpu: 2 } })
  mesh.submit(['a', 'b'], { resources: { gpu: 1 } })
  mesh.join('w2')
  mesh.lose('w1')
  mesh.submit(['c'])
  expect([mesh.status('a'), mesh.status('b'), mesh.status('c')]).toEqual(['is queued', 'is queued', 'is on w2'])
  mesh.join('w3', { resources: { gpu: 1 } })
  expect(mesh.status('a')).toBe('is on w3')
})

test('what no worker can ever offer fails after a while, and says what is lacking', () => {
  const mesh = createMesh({ unschedulableMs: 60_000 })
  mesh.submit(['early'], { resources: { gpu: 4 } })
  mesh.submit(['after', 'early'].slice(0, 1), { resources: { gpu: 1 } })
  mesh.pass(300_000)
  expect(mesh.status('early')).toBe('is queued')
  mesh.join('w1', { resources: { gpu: 2 } })
  mesh.submit(['pinned'], { on: ['w9'] })
  mesh.pass(61_000)
  expect(mesh.status('early')).toBe('failed: timeout UNSCHEDULABLE')
  expect(mesh.failure('early').message).toContain('gpu 4, of which a worker offers 2 at most')
  expect(mesh.status('after')).toBe('is on w1')
  expect(mesh.failure('pinned').message).toContain('worker w9, which is not there')
})

test('it waits for ever when it is told to, and goes on when a worker comes in time', () => {
  const patient = createMesh({ unschedulableMs: 0 })
  patient.workers(1)
  patient.submit(['a'], { resources: { licence: 1 } })
  patient.pass(700_000)
  expect(patient.status('a')).toBe('is queued')
  patient.join('w2', { resources: { licence: 1 } })
  expect(patient.status('a')).toBe('is on w2')
})

test('what a task takes is given back however it ends', () => {
  const mesh = createMesh()
  mesh.join('w1', { slots: 4, resources: { gpu: 2, licence: 0.3 } })
  mesh.submit(['a', 'b', 'c'], { resources: { gpu: 1, licence: 0.1, cpu: 2 } })
  mesh.cancel('a')
  mesh.fail('b')
  mesh.finish('c')
  const worker = mesh.state.workers.get('w1' as WorkerId)
  expect([worker?.extraSlots, worker?.used.size]).toEqual([0, 0])
  expect([mesh.state.rooms.size, mesh.state.queue.levels.length]).toEqual([0, 0])
})

test('thousands of tasks with needs of their own that fit nowhere cost others nothing', () => {
  const mesh = createMesh({}, { verifies: false })
  mesh.join('w1', { slots: 2, resources: { gpu: 1 } })
  mesh.submit(names(20_000, 'gpu'), { resources: { gpu: 1 } })
  mesh.submit(names(2_000))
  const startMs = performance.now()
  for (let i = 0; i < 2_000; i++) mesh.finish(`t${i}`)
  expect(mesh.status('t1999')).toBe('finished')
  expect(performance.now() - startMs).toBeLessThan(5_000)
})
