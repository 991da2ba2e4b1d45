import { expect, test } from 'vitest'

import type { WorkerId } from '#libs/domain'

import { createMesh, type Mesh } from './testing/mesh.js'

const names = (count: number, prefix = 't'): string[] => Array.from({ length: count }, (_, i) => `${prefix}${i}`)
const onWorker = (mesh: Mesh, worker: string): number => mesh.state.workers.get(worker as WorkerId)?.tasks.size ?? -1

/** The scheduler knows how long tasks of this kind run. */
function learn(mesh: Mesh, kind: string, runMs: number): void {
  mesh.submit([`first ${kind}`], { kind })
  mesh.finish(`first ${kind}`, { runMs })
  mesh.effects()
}

test('first in, first out within a job', () => {
  const mesh = createMesh()
  mesh.submit(['a', 'b', 'c'])
  mesh.effects()
  mesh.workers(1)
  for (const name of ['a', 'b', 'c']) mesh.finish(name)
  expect(mesh.effects().filter((line) => line.startsWith('run'))).toEqual([
    'run a#1 on w1',
    'run b#1 on w1',
    'run c#1 on w1',
  ])
})

test('tasks are spread over the workers with the fewest per slot', () => {
  const mesh = createMesh()
  mesh.join('w1', { slots: 1 })
  mesh.join('w2', { slots: 4 })
  mesh.submit(names(5))
  expect([onWorker(mesh, 'w1'), onWorker(mesh, 'w2')]).toEqual([1, 4])
})

test('a worker without slots gets no tasks', () => {
  const mesh = createMesh()
  mesh.join('gateway', { slots: 0 })
  mesh.submit(['a'])
  expect(mesh.status('a')).toBe('is queued')
})

test('nothing of an unknown kind is sent ahead', () => {
  const mesh = createMesh()
  mesh.join('w1', { slots: 2 })
  mesh.submit(names(10))
  expect(onWorker(mesh, 'w1')).toBe(2)
})

test.each([
  [151, 2],
  [150, 4],
  [50, 10],
  [20, 22],
  [10, 42],
  [1, 402],
  [0.1, 1024],
  [0.001, 1024],
])('of a kind that runs %d ms a worker with two slots has %i tasks at most', (runMs, most) => {
  const mesh = createMesh({}, { verifies: false })
  mesh.join('w1', { slots: 2 })
  learn(mesh, 'f', runMs)
  mesh.submit(names(3_000))
  expect(onWorker(mesh, 'w1')).toBe(most)
})

test('of a kind that waits for what it submits nothing is sent ahead, until 100 ended that did not wait', () => {
  const mesh = createMesh({}, { verifies: false })
  mesh.workers(1)
  learn(mesh, 'f', 1)
  mesh.submit(['parent'])
  mesh.start('parent')
  mesh.await('parent')
  mesh.submit(names(300))
  expect(onWorker(mesh, 'w1')).toBe(1)
  const finish = (from: number, to: number): void => {
    for (let i = from; i < to; i++) mesh.finish(`t${i}`, { runMs: 1 })
  }
  finish(0, 100)
  expect(onWorker(mesh, 'w1')).toBe(1)
  finish(100, 101)
  expect(onWorker(mesh, 'w1')).toBeGreaterThan(50)
})

test('what goes far ahead leaves enough for all to come out even: of the last tasks each worker has the same', () => {
  const mesh = createMesh()
  mesh.workers(4)
  learn(mesh, 'f', 20)
  mesh.submit(names(24))
  const counts = (): number[] => ['w1', 'w2', 'w3', 'w4'].map((worker) => onWorker(mesh, worker))
  expect(counts()).toEqual([3, 3, 3, 3])
  for (let i = 0; i < 12; i++) mesh.finish(`t${i}`, { runMs: 20 })
  expect(counts()).toEqual([2, 2, 2, 2])
})

test('the window follows the newest run times', () => {
  const mesh = createMesh()
  mesh.workers(1)
  learn(mesh, 'f', 1)
  mesh.submit(names(600))
  expect(onWorker(mesh, 'w1')).toBe(201)
  for (let i = 0; i < 140; i++) mesh.finish(`t${i}`, { runMs: 60 })
  expect(onWorker(mesh, 'w1')).toBeLessThan(70)
  for (let i = 140; i < 205; i++) mesh.finish(`t${i}`, { runMs: 600 })
  expect(onWorker(mesh, 'w1')).toBe(1)
})

test('failures and impossible run times teach nothing', () => {
  const mesh = createMesh()
  mesh.workers(1)
  mesh.submit(['a', 'b', 'c', 'd'])
  mesh.fail('a')
  mesh.finish('b', { runMs: -5 })
  mesh.finish('c', { runMs: NaN })
  mesh.finish('d', { runMs: Infinity })
  expect(mesh.state.meanRunMs.size).toBe(0)
})

test('the run times of at most 10,000 kinds are known', () => {
  const mesh = createMesh({ maxSettledJobs: 10 }, { verifies: false })
  mesh.workers(1)
  for (let i = 0; i < 10_050; i++) learn(mesh, `kind${i}`, 1)
  expect(mesh.state.meanRunMs.size).toBe(10_000)
  expect(mesh.state.meanRunMs.has('bundle/kind10049')).toBe(true)
})

test('a short task is not sent behind a long one, but waits for the next free slot', () => {
  const mesh = createMesh()
  mesh.workers(2)
  learn(mesh, 'short', 1)
  mesh.submit(['long'], { kind: 'long' })
  mesh.submit(names(500), { kind: 'short' })
  expect(mesh.status('long')).toBe('is on w1')
  expect([onWorker(mesh, 'w1'), onWorker(mesh, 'w2')]).toEqual([1, 201])
  mesh.finish('t0', { runMs: 1 })
  expect([onWorker(mesh, 'w1'), onWorker(mesh, 'w2')]).toEqual([1, 201])
})

test('the other slots of a worker with a long task go on taking short ones', () => {
  const mesh = createMesh()
  mesh.join('w1', { slots: 3 })
  learn(mesh, 'short', 10)
  mesh.submit(['long'], { kind: 'long' })
  mesh.submit(names(100), { kind: 'short' })
  expect(onWorker(mesh, 'w1')).toBe(1 + 2 * 21)
})

test('a task runs where most of its inputs are', () => {
  const mesh = createMesh()
  mesh.workers(3)
  mesh.submit(['a', 'b', 'c'])
  mesh.finish('a', { bytes: 1_000 })
  mesh.finish('b', { bytes: 600 })
  mesh.finish('c', { bytes: 600 })
  mesh.join('w3', { objects: ['b', 'c'] })
  mesh.effects()
  mesh.submit([['d', 'a', 'b', 'c', 'c', 'c']])
  expect(mesh.effects()).toEqual(['answer j2', 'run d#1 on w3'])
})

test('it runs elsewhere rather than wait for that worker', () => {
  const mesh = createMesh()
  mesh.workers(2)
  mesh.scatter('w1', 'x')
  mesh.submit([
    ['a', 'x'],
    ['b', 'x'],
  ])
  expect([mesh.status('a'), mesh.status('b')]).toEqual(['is on w1', 'is on w2'])
})

test('small inputs that do not fit into one command fail their task with advice', () => {
  const mesh = createMesh({ maxInlineInputBytes: 1_000 })
  mesh.workers(1)
  mesh.submit(['a', 'b'])
  mesh.finish('a', { inlineBytes: 600 })
  mesh.finish('b', { inlineBytes: 600 })
  mesh.effects()
  mesh.submit([
    ['tooMuch', 'a', 'b'],
    ['after', 'tooMuch'],
    ['fine', 'a'],
  ])
  expect(mesh.effects()).toEqual([
    'answer j2',
    'tell nobody tooMuch failed: input INPUTS_TOO_LARGE',
    'tell nobody after failed: input INPUT_FAILED',
    'run fine#1 on w1',
  ])
  expect(mesh.failure('tooMuch').message).toContain('have 1201 bytes together, at most 1000')
})
