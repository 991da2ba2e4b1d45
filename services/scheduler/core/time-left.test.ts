import { expect, test } from 'vitest'

import { explainTask } from './explain.js'
import { createMesh, type Mesh } from './testing/mesh.js'

/** A mesh that knows that tasks of kind `solve` run for ten seconds, and has no workers any more. */
function meshThatKnows(): Mesh {
  const mesh = createMesh()
  mesh.join('w0')
  mesh.submit(['first'], { kind: 'solve' })
  mesh.finish('first', { runMs: 10_000 })
  mesh.happen({ kind: 'drainRequested', workerId: 'w0' as never, onlyIfIdle: false })
  mesh.effects()
  return mesh
}

test('a task goes to the worker that lasts until it is through, also when that one has more to do', () => {
  const mesh = meshThatKnows()
  mesh.join('short', { endsAtMs: mesh.nowMs + 5_000, slots: 4 })
  mesh.join('long', { endsAtMs: mesh.nowMs + 60_000, slots: 2 })
  mesh.submit(['a', 'b'], { kind: 'solve' })
  expect([mesh.status('a'), mesh.status('b')]).toEqual(['is on long', 'is on long'])
})

test('it waits for such a worker while there is one, and explain says so; other kinds use the room', () => {
  const mesh = meshThatKnows()
  mesh.join('long', { slots: 1 })
  mesh.submit(['a'], { kind: 'solve' })
  mesh.join('short', { endsAtMs: mesh.nowMs + 5_000 })
  mesh.submit(['b'], { kind: 'solve' })
  expect([mesh.status('a'), mesh.status('b')]).toEqual(['is on long', 'is queued'])
  expect(explainTask(mesh.state, mesh.task('b'), mesh.nowMs, false)).toContain(
    'the free workers end before it would: it waits for one that lasts longer',
  )
  mesh.submit(['c'], { kind: 'other' })
  expect(mesh.status('c')).toBe('is on short')
  mesh.finish('a', { runMs: 10_000 })
  expect(mesh.status('b')).toBe('is on long')
})

test('a task that takes as long as any worker lasts is never starved: it runs where there is room', () => {
  const mesh = meshThatKnows()
  mesh.join('w1', { endsAtMs: mesh.nowMs + 9_000 })
  mesh.submit(['a'], { kind: 'solve' })
  expect(mesh.status('a')).toBe('is on w1')
})

test('a task of a kind that saves checkpoints waits for no such worker: what it saved goes on elsewhere', () => {
  const mesh = createMesh()
  mesh.join('w0')
  mesh.submit(['first'], { kind: 'solve' })
  mesh.finish('first', { runMs: 10_000, savedCheckpoint: true })
  mesh.submit(['long one'], { kind: 'other' })
  mesh.join('short', { endsAtMs: mesh.nowMs + 5_000 })
  mesh.submit(['a'], { kind: 'solve' })
  expect(mesh.status('a')).toBe('is on short')
})

test('when the last worker that lasts long enough goes, what waited for it runs elsewhere', () => {
  const mesh = meshThatKnows()
  mesh.join('long', { slots: 1 })
  mesh.submit(['a'], { kind: 'solve' })
  mesh.join('short', { endsAtMs: mesh.nowMs + 5_000 })
  mesh.submit(['b'], { kind: 'solve' })
  mesh.happen({ kind: 'drainRequested', workerId: 'long' as never, onlyIfIdle: false })
  expect(mesh.status('b')).toBe('is on short')
})

test('what is pinned to a worker that ends soon runs there', () => {
  const mesh = meshThatKnows()
  mesh.join('long')
  mesh.join('short', { endsAtMs: mesh.nowMs + 5_000 })
  mesh.submit(['a'], { kind: 'solve', on: ['short'] })
  expect(mesh.status('a')).toBe('is on short')
})

test('of a kind that never ran nothing is known: it runs where there is room', () => {
  const mesh = meshThatKnows()
  mesh.join('short', { endsAtMs: mesh.nowMs + 5_000, slots: 4 })
  mesh.join('long', { slots: 1 })
  mesh.submit(['a', 'b', 'c'], { kind: 'other' })
  expect(mesh.status('a')).toBe('is on short')
})
