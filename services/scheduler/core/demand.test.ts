import { expect, test } from 'vitest'

import { demandOf } from './demand.js'
import { viewOf } from './requests.js'
import { createMesh } from './testing/mesh.js'

test('what is queued and what runs is wanted, slot by slot', () => {
  const mesh = createMesh()
  mesh.submit(['a', 'b', ['c', 'a']])
  mesh.submit(['wide'], { resources: { cpu: 3 } })
  expect(demandOf(mesh.state)).toMatchObject({ wantedSlots: 5, unofferedSlots: 0, presentSlots: 0, presentWorkers: 0 })
  mesh.join('w1', { slots: 4 })
  expect(demandOf(mesh.state)).toMatchObject({ wantedSlots: 5, unofferedSlots: 0, presentSlots: 4, presentWorkers: 1 })
  mesh.finish('a')
  mesh.cancel('b')
  expect(demandOf(mesh.state).wantedSlots).toBe(4)
})

test('a chain that was sent ahead to one worker keeps one slot busy', () => {
  const mesh = createMesh()
  mesh.join('w1', { slots: 4 })
  mesh.submit(['first'], { kind: 'f' })
  mesh.finish('first', { runMs: 1 })
  mesh.submit(['a', ['b', 'a'], ['c', 'b']], { kind: 'f' })
  expect(mesh.status('c')).toBe('is on w1')
  expect(demandOf(mesh.state).wantedSlots).toBe(1)
  expect(viewOf(mesh.state.workers.get('w1' as never)!).used).toEqual({ cpu: 1 })
})

test('a worker that leaves is not there, and what it still runs asks for no other; one without slots or in quarantine is not', () => {
  const mesh = createMesh()
  mesh.workers(2)
  mesh.join('gateway', { slots: 0 })
  mesh.submit(['a', 'b'])
  mesh.happen({ kind: 'drainRequested', workerId: 'w1' as never, onlyIfIdle: false })
  expect(demandOf(mesh.state)).toMatchObject({ wantedSlots: 1, presentSlots: 1, presentWorkers: 1 })
  mesh.state.workers.get('w2' as never)!.quarantine = { untilMs: Infinity, why: 'test' }
  expect(demandOf(mesh.state)).toMatchObject({ wantedSlots: 1, presentSlots: 0, presentWorkers: 0 })
})

test('what a task takes of a scarcer resource it takes of the slots, queued and running alike', () => {
  const mesh = createMesh()
  mesh.join('w1', { slots: 4, resources: { gpu: 2 } })
  mesh.submit(['a', 'b', 'c', 'd', 'e'], { resources: { gpu: 1 } })
  expect(mesh.status('c')).toBe('is queued')
  expect(demandOf(mesh.state).wantedSlots).toBe(10)
  for (const name of ['a', 'b', 'c']) mesh.finish(name)
  expect(demandOf(mesh.state).wantedSlots).toBe(4)
})

test('what none like those there could take is told apart; with nobody there it may be wanted', () => {
  const mesh = createMesh()
  mesh.submit(['a', 'b'], { resources: { gpu: 1, cpu: 2 } })
  expect(demandOf(mesh.state)).toMatchObject({ wantedSlots: 4, unofferedSlots: 0 })
  mesh.workers(1)
  expect(demandOf(mesh.state)).toMatchObject({ wantedSlots: 0, unofferedSlots: 4 })
  mesh.join('w2', { slots: 2, resources: { gpu: 1 } })
  expect(demandOf(mesh.state)).toMatchObject({ wantedSlots: 4, unofferedSlots: 0 })
})

test('tasks that are pinned to a worker want no more than its slots', () => {
  const mesh = createMesh()
  mesh.workers(1, 2)
  mesh.submit(['a', 'b', 'c', 'd', 'e', 'f'], { on: ['w1'] })
  expect(demandOf(mesh.state).wantedSlots).toBe(4)
  mesh.submit(['g', 'h'], { on: ['w9'] })
  expect(demandOf(mesh.state).wantedSlots).toBe(4)
})

test('of queued tasks of a kind that ran before it is known how long they would keep a slot busy', () => {
  const mesh = createMesh()
  mesh.join('w1')
  mesh.submit(['first'], { kind: 'f' })
  mesh.finish('first', { runMs: 2_000 })
  mesh.submit(['busy'], { kind: 'g' })
  mesh.submit(['a', 'b', 'c'], { kind: 'f' })
  mesh.submit(['wide'], { kind: 'f', resources: { cpu: 2 } })
  mesh.submit(['d', 'e'], { kind: 'h' })
  expect(demandOf(mesh.state)).toMatchObject({ measuredSlots: 5, measuredMs: 10_000 })
  mesh.submit(['pinned'], { kind: 'f', on: ['w1'] })
  expect(demandOf(mesh.state)).toMatchObject({ measuredSlots: 5 })
})

test('a restart forgets nothing of it', () => {
  const mesh = createMesh()
  mesh.submit(['a', 'b'], { resources: { cpu: 3 }, priority: 2 })
  mesh.submit(['c'])
  mesh.restart()
  expect(demandOf(mesh.state).wantedSlots).toBe(7)
})
