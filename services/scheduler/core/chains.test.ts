import { expect, test } from 'vitest'

import type { WorkerId } from '#libs/domain'

import { explainTask } from './explain.js'
import { createMesh, type Mesh, type SubmitOptions, type TestTask } from './testing/mesh.js'

/** A mesh that knows how long tasks of the kind run. */
function meshThatKnows(runMs: number, workers = 1, slots = 1): Mesh {
  const mesh = createMesh()
  mesh.workers(workers, slots)
  mesh.submit(['first'], { kind: 'f' })
  mesh.finish('first', { runMs })
  mesh.effects()
  return mesh
}

/** Tasks that take one another's results: c0, c1, … */
function chain(length: number, prefix = 'c'): TestTask[] {
  return Array.from({ length }, (_, k) => (k === 0 ? `${prefix}0` : [`${prefix}${k}`, `${prefix}${k - 1}`]))
}

function submitChain(mesh: Mesh, length: number, options: SubmitOptions = {}): void {
  mesh.submit(chain(length), { kind: 'f', ...options })
}

const orders = (mesh: Mesh): string[] => mesh.effects().filter((line) => /^(run|cancel)/.test(line))
const tasksOn = (mesh: Mesh, worker: string): number => mesh.state.workers.get(worker as WorkerId)?.tasks.size ?? -1

test('a chain of a short kind is sent to one worker, each link behind the one before', () => {
  const mesh = meshThatKnows(1, 2)
  submitChain(mesh, 3)
  expect(orders(mesh)).toEqual(['run c0#1 on w1', 'run c1#1 on w1 behind c0', 'run c2#1 on w1 behind c1'])
})

test('its links settle in order, each with an attempt of its own, and take a slot when their input is there', () => {
  const mesh = meshThatKnows(1, 1, 2)
  submitChain(mesh, 3)
  mesh.submit(['other'], { kind: 'long' })
  expect(mesh.status('other')).toBe('is on w1')
  for (const name of ['c0', 'c1', 'c2']) mesh.finish(name, { runMs: 1 })
  expect(mesh.facts.flatMap((fact) => (fact.kind === 'taskSettled' ? fact.record.attempt : []))).toEqual([1, 1, 1, 1])
  expect(mesh.status('c2')).toBe('finished')
})

test.each([
  [1, 21],
  [6, 4],
  [15, 2],
  [25, 1],
  [0.01, 513],
])('of links that take %d ms a worker has %i at most, and gets more as they end', (runMs, most) => {
  const mesh = meshThatKnows(runMs)
  submitChain(mesh, 600)
  expect(tasksOn(mesh, 'w1')).toBe(most)
  mesh.finish('c0', { runMs })
  expect(tasksOn(mesh, 'w1')).toBe(most)
})

test('nothing is sent behind what runs longer than its kind', () => {
  const mesh = meshThatKnows(15)
  submitChain(mesh, 5)
  mesh.finish('c0', { runMs: 300 })
  mesh.effects()
  mesh.finish('c1', { runMs: 300 })
  expect(orders(mesh)).toEqual(['run c2#1 on w1'])
})

test('one dependent follows a task; the others go where there is room when they are ready', () => {
  const mesh = meshThatKnows(1, 2)
  mesh.submit(['a', ['b', 'a'], ['c', 'a'], ['d', 'b', 'c']], { kind: 'f' })
  expect(orders(mesh)).toEqual(['run a#1 on w1', 'run b#1 on w1 behind a'])
  mesh.finish('a', { runMs: 1 })
  expect(orders(mesh)).toEqual(['run c#1 on w2'])
})

test('what joins several results follows them when one worker makes all', () => {
  const mesh = meshThatKnows(1)
  mesh.submit(['a', 'b', ['c', 'a', 'b']], { kind: 'f' })
  expect(orders(mesh)).toEqual(['run a#1 on w1', 'run b#1 on w1', 'run c#1 on w1 behind a, b'])
  mesh.finish('a', { runMs: 1 })
  expect(mesh.task('c').status).toMatchObject({ behind: [mesh.task('b')] })
})

test('a chain that others wait for goes on link by link', () => {
  const mesh = meshThatKnows(15)
  mesh.submit(['long'], { kind: 'g' })
  mesh.submit(['x0', 'x1', 'x2'], { kind: 'f', priority: 1 })
  submitChain(mesh, 3)
  mesh.finish('long')
  expect(orders(mesh)).toContain('run x0#1 on w1')
  for (const name of ['x0', 'x1', 'x2']) mesh.finish(name, { runMs: 15 })
  expect(orders(mesh)).toContain('run c1#1 on w1 behind c0')
  mesh.submit(['x3', 'x4', 'x5'], { kind: 'f', priority: 1 })
  mesh.finish('c0', { runMs: 15 })
  expect(orders(mesh).join()).not.toContain('run c2')
})

test('what needs more than a slot, or may not run there, is not sent ahead', () => {
  const mesh = createMesh()
  mesh.join('w1', { slots: 2, resources: { gpu: 1 } })
  mesh.submit(['first'], { kind: 'f' })
  mesh.finish('first', { runMs: 1 })
  mesh.submit(chain(2), { kind: 'f', resources: { gpu: 1 } })
  mesh.submit(chain(2, 'd'), { kind: 'f', on: ['w1'] })
  expect(orders(mesh)).toEqual(['run first#1 on w1', 'run c0#1 on w1', 'run d0#1 on w1', 'run d1#1 on w1 behind d0'])
})

test('a link that fails takes back what was sent behind it, and fails it with the cause', () => {
  const mesh = meshThatKnows(1)
  submitChain(mesh, 4)
  mesh.effects()
  mesh.fail('c1', { message: 'boom' })
  expect(mesh.status('c0')).toBe('is on w1')
  expect(orders(mesh)).toEqual(['cancel c2#1 on w1', 'cancel c3#1 on w1'])
  for (const name of ['c2', 'c3']) {
    expect(mesh.failure(name)).toMatchObject({ reason: 'INPUT_FAILED', cause: { taskName: 'c1', message: 'boom' } })
  }
})

test('a link that is tried again takes back what was sent behind it, uncharged', () => {
  const mesh = meshThatKnows(1)
  submitChain(mesh, 3, { retry: { maxAttempts: { userError: 2 } } })
  mesh.effects()
  mesh.fail('c0')
  expect(mesh.status('c1')).toBe('waits for 1')
  expect(orders(mesh)).toEqual(['cancel c1#1 on w1', 'cancel c2#1 on w1'])
  mesh.pass(1_000)
  expect(orders(mesh)).toEqual(['run c0#2 on w1', 'run c1#2 on w1 behind c0', 'run c2#2 on w1 behind c1'])
  expect(mesh.task('c1')).toMatchObject({ losses: 0, past: undefined })
})

test('a cancelled link fails those behind it at once', () => {
  const mesh = meshThatKnows(1)
  submitChain(mesh, 3)
  mesh.effects()
  mesh.cancel('c1')
  expect(orders(mesh)).toEqual(['cancel c1#1 on w1', 'cancel c2#1 on w1'])
  expect(mesh.status('c0')).toBe('is on w1')
  expect(mesh.failure('c2')).toMatchObject({ kind: 'cancelled', reason: 'INPUT_FAILED' })
})

test('a chain whose worker is lost goes on elsewhere, and only who may have run is suspect', () => {
  const mesh = meshThatKnows(1, 2)
  submitChain(mesh, 4)
  mesh.effects()
  mesh.finish('c0', { runMs: 1 })
  mesh.lose('w1')
  expect(['c1', 'c2', 'c3'].map((name) => mesh.task(name).suspect)).toEqual([true, false, false])
  expect(mesh.status('c2')).toBe('waits for 1')
  mesh.effects()
  mesh.finish('c1', { runMs: 1 })
  expect(orders(mesh)).toEqual(['run c2#2 on w2', 'run c3#2 on w2 behind c2'])
})

test('links that a worker gives back, or is asked for, wait for their input again', () => {
  const mesh = meshThatKnows(1)
  submitChain(mesh, 3)
  mesh.giveBack('w1', 'c1', 'c2')
  expect(mesh.status('c1')).toBe('waits for 1')
  mesh.join('w2')
  mesh.effects()
  mesh.finish('c0', { runMs: 1 })
  expect(orders(mesh)).toEqual(['run c1#2 on w2', 'run c2#2 on w2 behind c1'])
})

test('what is stuck behind a link that runs longer than its kind is asked back while another worker is free', () => {
  const mesh = meshThatKnows(1, 2)
  submitChain(mesh, 2)
  mesh.start('c0')
  mesh.effects()
  mesh.nowMs += 150
  mesh.tick()
  expect(mesh.effects()).toEqual(['recall c1#1 from w1'])
  mesh.giveRecalled('w1', 'c1')
  expect(mesh.status('c1')).toBe('waits for 1')
  expect(mesh.effects()).toEqual([])
})

test('after a cut a worker has what it lists: what lost its input there is taken back', () => {
  const mesh = meshThatKnows(1)
  submitChain(mesh, 3)
  const [c0, c1, c2] = [mesh.ref('c0'), mesh.ref('c1'), mesh.ref('c2')]
  mesh.cut('w1')
  const attempts = [c0, { ...c1, running: false, behind: [c0] }, { ...c2, running: false, behind: [c1] }]
  mesh.join('w1', { attempts })
  expect(['c0', 'c1', 'c2'].map((name) => mesh.status(name))).toEqual(['runs on w1', 'is on w1', 'is on w1'])
  mesh.cut('w1')
  mesh.effects()
  mesh.join('w1', { attempts: [c0, { ...c2, running: false, behind: [c1] }] })
  expect(orders(mesh)).toEqual(['cancel c1#1 on w1', 'cancel c2#1 on w1'])
  mesh.finish('c0', { runMs: 1 })
  expect(orders(mesh)).toEqual(['run c1#2 on w1', 'run c2#2 on w1 behind c1'])
})

test('after a restart a chain is adopted as it is listed, whatever of it has ended', () => {
  const mesh = meshThatKnows(1)
  submitChain(mesh, 4)
  const [c0, c1, c2] = [mesh.ref('c0'), mesh.ref('c1'), mesh.ref('c2')]
  mesh.restart()
  mesh.effects()
  const attempts = [c0, { ...c1, behind: [c0] }, { ...c2, running: false, behind: [c1] }]
  mesh.join('w1', { attempts })
  expect(orders(mesh)).toEqual([])
  mesh.finish('c0', { runMs: 1 })
  mesh.finish('c1', { runMs: 1 })
  // How long the kind takes is learnt again.
  expect(['c1', 'c2', 'c3'].map((name) => mesh.status(name))).toEqual(['finished', 'is on w1', 'waits for 1'])
  mesh.finish('c2', { runMs: 1 })
  expect(orders(mesh)).toEqual(['run c3#1 on w1'])
})

test('a link whose input another attempt made is not taken up again', () => {
  const mesh = meshThatKnows(1, 2)
  submitChain(mesh, 2)
  const [c0, c1] = [mesh.ref('c0'), mesh.ref('c1')]
  mesh.restart()
  mesh.join('w2')
  mesh.pass(5_000)
  mesh.finish('c0', { runMs: 1 })
  mesh.effects()
  mesh.join('w1', { attempts: [c0, { ...c1, behind: [c0] }] })
  expect(orders(mesh)).toEqual(['cancel c0#1 on w1', 'cancel c1#1 on w1'])
})

test('nothing is kept behind a link that waits for tasks of its own', () => {
  const mesh = meshThatKnows(1)
  submitChain(mesh, 3)
  const [c0, c1] = [mesh.ref('c0'), mesh.ref('c1')]
  mesh.start('c0')
  mesh.effects()
  mesh.await('c0')
  expect(orders(mesh)).toEqual(['cancel c1#1 on w1', 'cancel c2#1 on w1'])
  mesh.restart()
  mesh.join('w1', {
    attempts: [
      { ...c0, wait: 1 },
      { ...c1, running: false, behind: [c0] },
    ],
  })
  expect(['c0', 'c1'].map((name) => mesh.status(name))).toEqual(['awaits on w1', 'waits for 1'])
  expect(orders(mesh)).toEqual(['cancel c1#1 on w1'])
})

test('explain says what a task waits for that was sent ahead', () => {
  const mesh = meshThatKnows(1)
  submitChain(mesh, 2)
  expect(explainTask(mesh.state, mesh.task('c1'), mesh.nowMs)).toContain(
    'waits there for 1 task before it and for 1 input that is made there',
  )
})
