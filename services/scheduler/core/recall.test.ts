import { expect, test } from 'vitest'

import type { WorkerId } from '#libs/domain'

import { createMesh, type Mesh } from './testing/mesh.js'

const names = (count: number, prefix = 't'): string[] => Array.from({ length: count }, (_, i) => `${prefix}${i}`)
const on = (mesh: Mesh, worker: string): string[] =>
  [...(mesh.state.workers.get(worker as WorkerId)?.tasks ?? [])].map(({ spec }) => spec.name)
const recalls = (mesh: Mesh): string[] => mesh.effects().filter((line) => line.startsWith('recall'))

/** One worker has a line of short tasks, and the first of them takes long; another worker has nothing to do. */
function createStuckMesh(): Mesh {
  const mesh = createMesh()
  mesh.join('w1')
  mesh.submit(['learnt'])
  mesh.finish('learnt', { runMs: 5 })
  mesh.submit(names(4))
  mesh.effects()
  return mesh
}

test('short tasks wait behind no long one: of one kind, two workers, one task of 8 s and nine of 0.1 s (R10)', () => {
  const mesh = createMesh()
  mesh.workers(2)
  mesh.submit(['long', ...names(9)])
  mesh.start('long')
  for (let i = 0; i < 9; i++) {
    expect(on(mesh, 'w1')).toEqual(['long'])
    expect(on(mesh, 'w2')[0]).toBe(`t${i}`)
    mesh.nowMs += 100
    mesh.finish(`t${i}`, { runMs: 100 })
  }
  expect(mesh.status('long')).toBe('runs on w1')
})

test('one that was sent to wait behind the long one runs where a slot comes free (R10, the kind known before)', () => {
  const mesh = createMesh()
  mesh.workers(2)
  mesh.submit(['learnt'])
  mesh.finish('learnt', { runMs: 100 })
  mesh.submit(['long', ...names(9)])
  mesh.start('long')
  const [[, stuck = ''], own] = [on(mesh, 'w1'), on(mesh, 'w2')]
  const others = names(9).filter((name) => name !== stuck)
  expect(own).toEqual(others.slice(0, 2))
  for (const name of others) {
    mesh.nowMs += 100
    mesh.finish(name, { runMs: 100 })
  }
  mesh.pass(50)
  expect(recalls(mesh)).toEqual([`recall ${stuck}#1 from w1`])
  mesh.giveRecalled('w1', stuck)
  expect([on(mesh, 'w1'), on(mesh, 'w2')]).toEqual([['long'], [stuck]])
})

test('what is stuck behind a task that runs longer than its kind is asked back for a worker that comes', () => {
  const mesh = createStuckMesh()
  mesh.start('t0')
  mesh.nowMs += 200
  mesh.join('w2')
  expect(recalls(mesh)).toEqual(['recall t1#1 from w1', 'recall t2#1 from w1', 'recall t3#1 from w1'])
  mesh.giveRecalled('w1', 't1', 't2', 't3')
  expect([on(mesh, 'w1'), on(mesh, 'w2')]).toEqual([['t0'], ['t1', 't2', 't3']])
  expect(mesh.state.workers.get('w1' as WorkerId)?.draining).toBe(false)
})

test('it is asked back once, and what had begun ends where it is', () => {
  const mesh = createStuckMesh()
  mesh.join('w2')
  mesh.pass(1_000)
  expect(recalls(mesh)).toEqual(['recall t1#1 from w1', 'recall t2#1 from w1', 'recall t3#1 from w1'])
  mesh.finish('t0', { runMs: 900 })
  mesh.finish('t1', { runMs: 5 })
  mesh.giveRecalled('w1', 't2', 't3')
  expect([on(mesh, 'w1'), on(mesh, 'w2')]).toEqual([['t2'], ['t3']])
})

test('nothing more is sent to wait behind the task that takes long', () => {
  const mesh = createStuckMesh()
  mesh.start('t0')
  mesh.nowMs += 200
  mesh.join('w2')
  mesh.giveRecalled('w1', 't1', 't2', 't3')
  mesh.submit(names(50, 'more'))
  expect(on(mesh, 'w1')).toEqual(['t0'])
})

test('a line that moves is left alone, and so is one when nobody else is free', () => {
  const mesh = createStuckMesh()
  mesh.nowMs += 50
  mesh.join('w2')
  expect(recalls(mesh)).toEqual([])
  const alone = createStuckMesh()
  alone.start('t0')
  alone.pass(10_000)
  expect(recalls(alone)).toEqual([])
})
