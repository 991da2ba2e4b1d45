import { expect, test } from 'vitest'

import type { WorkerId } from '#libs/domain'

import type { WorkerEnd } from './state.js'
import { createMesh, type Mesh } from './testing/mesh.js'

const megabyte = 1_000_000
const end = (workerId: string, how: Omit<WorkerEnd, 'workerId'>): WorkerEnd => ({
  workerId: workerId as WorkerId,
  ...how,
})
const outOfMemory = { signal: 'SIGKILL', memory: { bytes: 960 * megabyte, limitBytes: 1_000 * megabyte } }

const statusOf = (mesh: Mesh, ...names: string[]): string[] => names.map((name) => mesh.status(name))
const lossesOf = (mesh: Mesh, ...names: string[]): number[] => names.map((name) => mesh.task(name).losses)

/** One after the other, workers with two slots; each dies with what runs on it, and says how through the next one. */
function die(mesh: Mesh, worker: string, next: string, how: Omit<WorkerEnd, 'workerId'>): void {
  mesh.cut(worker)
  mesh.join(next, { slots: 2, predecessor: end(worker, how) })
}

test('of several that ran when their worker died none is charged; each runs again alone', () => {
  const mesh = createMesh()
  mesh.join('w1', { slots: 2 })
  mesh.submit(['hog', 'neighbour', 'other'])
  mesh.start('hog')
  mesh.start('neighbour')
  mesh.effects()
  die(mesh, 'w1', 'w2', { exitCode: 134 })
  expect(lossesOf(mesh, 'hog', 'neighbour')).toEqual([0, 0])
  expect(mesh.effects()).toEqual(['dismiss w1', 'run hog#2 on w2'])
  expect(statusOf(mesh, 'hog', 'neighbour', 'other')).toEqual(['is on w2', 'is queued', 'is queued'])
})

test('the one that dies alone is charged, its neighbour finishes', () => {
  const mesh = createMesh({ maxLosses: 1 })
  mesh.join('w1', { slots: 2 })
  mesh.submit(['hog', 'neighbour'])
  mesh.start('hog')
  mesh.start('neighbour')
  die(mesh, 'w1', 'w2', outOfMemory)
  die(mesh, 'w2', 'w3', outOfMemory)
  expect(lossesOf(mesh, 'hog', 'neighbour')).toEqual([1, 0])
  expect(statusOf(mesh, 'hog', 'neighbour')).toEqual(['is queued', 'is on w3'])
  mesh.finish('neighbour')
  die(mesh, 'w3', 'w4', outOfMemory)
  expect(statusOf(mesh, 'hog', 'neighbour')).toEqual(['failed: outOfMemory MEMORY_LIMIT', 'finished'])
  expect(mesh.failure('hog').message).toContain('ended its worker 2 times')
  expect(mesh.failure('hog').message).toContain('960 MB of 1000 MB')
})

test('beside a suspect nothing else is placed, and a suspect goes to an empty worker only', () => {
  const mesh = createMesh()
  mesh.join('w1', { slots: 2 })
  mesh.submit(['a', 'b'])
  mesh.lose('w1')
  mesh.submit(['long'])
  mesh.join('w2', { slots: 2 })
  mesh.join('w3', { slots: 2 })
  expect(statusOf(mesh, 'a', 'b', 'long')).toEqual(['is on w2', 'is on w3', 'is queued'])
  mesh.finish('a')
  expect(mesh.status('long')).toBe('is on w2')
})

test('while suspects wait one worker gets nothing else, the others go on', () => {
  const mesh = createMesh()
  mesh.join('w1', { slots: 2 })
  mesh.submit(['a', 'b'])
  mesh.join('w2', { slots: 2 })
  mesh.join('w3', { slots: 2 })
  mesh.submit(['c', 'd', 'e'])
  expect(statusOf(mesh, 'c', 'd', 'e')).toEqual(['is on w2', 'is on w3', 'is on w2'])
  mesh.lose('w1')
  mesh.submit(['f', 'g'])
  // w3 has the least to finish before the suspects' turn.
  expect(statusOf(mesh, 'a', 'b', 'f', 'g')).toEqual(['is queued', 'is queued', 'is queued', 'is queued'])
  mesh.finish('e')
  expect(mesh.status('f')).toBe('is on w2')
  mesh.finish('d')
  expect(statusOf(mesh, 'a', 'b', 'g')).toEqual(['is on w3', 'is queued', 'is queued'])
  mesh.finish('a')
  expect(mesh.status('b')).toBe('is on w3')
  mesh.finish('b')
  expect(mesh.status('g')).toBe('is on w3')
})

test('a reserved worker that goes away is replaced by another', () => {
  const mesh = createMesh()
  mesh.join('w1', { slots: 2 })
  mesh.submit(['a', 'b'])
  mesh.join('w2', { slots: 2 })
  mesh.submit(['c', 'd'])
  mesh.lose('w1')
  expect(mesh.state.workers.get('w2' as WorkerId)?.reserved).toBe(true)
  mesh.join('w3', { slots: 2 })
  expect(mesh.status('a')).toBe('is on w3')
  mesh.lose('w2')
  mesh.finish('a')
  expect(mesh.status('b')).toBe('is on w3')
})

test('the only one that ran is charged at once, and runs alone from then on', () => {
  const mesh = createMesh()
  mesh.join('w1', { slots: 2 })
  mesh.submit(['hog'])
  mesh.start('hog')
  die(mesh, 'w1', 'w2', { signal: 'SIGSEGV' })
  mesh.submit(['innocent'])
  expect(lossesOf(mesh, 'hog')).toEqual([1])
  expect(statusOf(mesh, 'hog', 'innocent')).toEqual(['is on w2', 'is queued'])
})

test('one of several in a line is not charged, because another may have begun meanwhile', () => {
  const mesh = createMesh()
  mesh.workers(1)
  mesh.submit(['warmUp'])
  mesh.finish('warmUp', { runMs: 1 })
  mesh.submit(['a', 'b'])
  mesh.lose('w1')
  expect(lossesOf(mesh, 'a', 'b')).toEqual([0, 0])
  mesh.workers(1)
  mesh.lose('w2')
  expect(lossesOf(mesh, 'a', 'b')).toEqual([1, 0])
})

test('a restart knows who must run alone', () => {
  const mesh = createMesh()
  mesh.join('w1', { slots: 2 })
  mesh.submit(['a', 'b'])
  mesh.lose('w1')
  mesh.restart()
  mesh.pass(6_000)
  mesh.join('w2', { slots: 2 })
  expect(statusOf(mesh, 'a', 'b')).toEqual(['is on w2', 'is queued'])
})

test('a suspect that came to its end is none any more', () => {
  const mesh = createMesh()
  mesh.join('w1', { slots: 2 })
  mesh.submit(['a', 'b'])
  mesh.lose('w1')
  mesh.join('w2', { slots: 2 })
  mesh.finish('a', { bytes: 1_000 })
  mesh.finish('b')
  mesh.drop('w2', 'a')
  mesh.submit(['c'])
  expect(statusOf(mesh, 'a', 'c')).toEqual(['is on w2', 'is on w2'])
})

test.each([
  [{ exitCode: 3 }, 'ended with exit code 3'],
  [{ signal: 'SIGSEGV' }, 'was ended by SIGSEGV'],
  [{ signal: 'SIGKILL' }, 'was ended by SIGKILL'],
])('a failure says how the worker ended: %j', (how, said) => {
  const mesh = createMesh({ maxLosses: 0 })
  mesh.join('w1', { slots: 2 })
  mesh.submit(['a'])
  die(mesh, 'w1', 'w2', how)
  expect(mesh.failure('a')).toMatchObject({ kind: 'workerLost', reason: 'WORKER_LOST' })
  expect(mesh.failure('a').message).toContain(`because worker w1 ${said}`)
})

test('memory that was seen to be short is told, also when the last end was not seen', () => {
  const mesh = createMesh({ maxLosses: 1 })
  mesh.join('w1', { slots: 2 })
  mesh.submit(['hog'])
  die(mesh, 'w1', 'w2', outOfMemory)
  mesh.lose('w2')
  expect(mesh.failure('hog')).toMatchObject({ kind: 'outOfMemory', reason: 'MEMORY_LIMIT', attempts: 2 })
})

test('how a worker ended is told also when its link was given up before its successor came', () => {
  const mesh = createMesh({ maxLosses: 1 })
  mesh.join('w1')
  mesh.submit(['a'])
  mesh.lose('w1')
  mesh.join('w2', { predecessor: end('w1', { signal: 'SIGABRT' }) })
  mesh.lose('w2')
  expect(mesh.failure('a').message).toMatch(/because worker w2 was lost .*before that, worker w1 was ended by SIGABRT$/)
})

test('an attempt that ended a process of its own is charged, and the task runs again, but not for ever', () => {
  const mesh = createMesh({ maxLosses: 1 })
  mesh.join('w1', { slots: 2 })
  mesh.submit(['poison', 'neighbour'])
  const lost = { kind: 'workerLost', reason: 'TASK_PROCESS_LOST', message: 'its process was ended by SIGSEGV' } as const
  mesh.fail('poison', lost)
  // It took nobody with it: it need not run alone.
  expect(statusOf(mesh, 'poison', 'neighbour')).toEqual(['is on w1', 'is on w1'])
  mesh.fail('poison', lost)
  expect(mesh.failure('poison')).toMatchObject({ ...lost, attempts: 2, history: [{ attempt: 1 }, { attempt: 2 }] })
  mesh.finish('neighbour')
})

test('a predecessor that is lost already, or was never known, changes nothing', () => {
  const mesh = createMesh()
  mesh.join('w1')
  mesh.submit(['a'])
  mesh.lose('w1')
  mesh.effects()
  mesh.join('w2', { predecessor: end('w1', { exitCode: 1 }) })
  mesh.join('w3', { predecessor: end('unknown', { exitCode: 1 }) })
  mesh.join('w3', { predecessor: end('w3', { exitCode: 1 }) })
  expect(mesh.effects()).toEqual(['run a#2 on w2'])
  expect(lossesOf(mesh, 'a')).toEqual([1])
})
