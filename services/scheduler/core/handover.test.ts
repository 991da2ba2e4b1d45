import { expect, test } from 'vitest'

import type { ObjectId, WorkerId } from '#libs/domain'

import { createMesh, type Mesh } from './testing/mesh.js'

/** What the scheduler says when the worker asks what it must hand over. */
function depart(mesh: Mesh, worker = 'w1'): string[] {
  mesh.effects()
  mesh.happen({ kind: 'workerDeparting', workerId: worker as WorkerId })
  return mesh.effects()
}

function archive(mesh: Mesh, worker: string, ...names: string[]): string[] {
  const objects = names.map((name) => ({ objectId: mesh.idOf(name), blobDigest: `blob of ${name}` }))
  mesh.happen({ kind: 'objectsArchived', workerId: worker as WorkerId, objects })
  return mesh.effects()
}

/** A worker holds two large results that a client wants. */
function meshWithResults(): Mesh {
  const mesh = createMesh()
  mesh.workers(1)
  mesh.open('s')
  mesh.submit(['a', 'b', 'small'], { session: 's' })
  mesh.finish('a', { bytes: 1_000 })
  mesh.finish('b', { bytes: 1_000 })
  mesh.finish('small')
  return mesh
}

test('a worker that departs hands over what somebody wants and nobody else holds, until there is nothing left', () => {
  const mesh = meshWithResults()
  mesh.join('w2', { objects: ['b'] })
  expect(depart(mesh)).toEqual(['hand over a on w1'])
  expect(archive(mesh, 'w1', 'a')).toEqual(['tell s a is archived'])
  expect(archive(mesh, 'w1', 'a')).toEqual([])
  expect(depart(mesh)).toEqual(['hand over nothing on w1'])
})

test('what nobody wants any more is not handed over', () => {
  const mesh = meshWithResults()
  mesh.submit([['c', 'b']])
  mesh.release('a', 'b')
  expect(depart(mesh)).toEqual(['hand over b on w1'])
})

test('it gets no more tasks meanwhile', () => {
  const mesh = meshWithResults()
  depart(mesh)
  mesh.submit(['later'])
  expect(mesh.status('later')).toBe('is queued')
})

test('what was handed over is not computed again when the worker has left, and is there for new tasks', () => {
  const mesh = meshWithResults()
  depart(mesh)
  archive(mesh, 'w1', 'a')
  mesh.leave('w1')
  expect(mesh.effects()).toEqual(['tell s b is lost', 'tell s job j1'])
  expect([mesh.status('a'), mesh.status('b')]).toEqual(['finished', 'is queued'])
  mesh.submit([['c', 'a']])
  mesh.join('w2', { slots: 2 })
  expect(mesh.status('c')).toBe('is on w2')
  mesh.finish('c')
})

test('it is there after a restart as well', () => {
  const mesh = meshWithResults()
  mesh.scatter('w1', 'buffer', 's')
  depart(mesh)
  archive(mesh, 'w1', 'a', 'b', 'buffer')
  mesh.leave('w1')
  mesh.restart()
  mesh.submit([['c', 'a', 'buffer']])
  mesh.pass(60_000)
  mesh.join('w2')
  expect(mesh.status('c')).toBe('is on w2')
})

test('a session that was cut off hears of its buffers when it is back', () => {
  const mesh = createMesh()
  mesh.workers(1)
  mesh.open('s')
  mesh.scatter('w1', 'buffer', 's')
  mesh.close('s')
  depart(mesh)
  archive(mesh, 'w1', 'buffer')
  mesh.effects()
  mesh.open('s')
  expect(mesh.effects()).toEqual(['tell s buffer is archived'])
})

test('of what is held no more, or made by another attempt since, nothing is known to be there', () => {
  const mesh = meshWithResults()
  mesh.effects()
  mesh.drop('w1', 'a')
  expect(archive(mesh, 'w1', 'a')).toEqual([
    'tell s a is lost',
    'tell s job j1',
    'run a#2 on w1',
    'release the archive of a by w1',
  ])
  mesh.finish('a', { bytes: 1_000 })
  archive(mesh, 'w1', 'a')
  mesh.drop('w1', 'a')
  expect(mesh.status('a')).toBe('finished')
})

test('what the checkpoint-store cannot give is computed again, however often it was asked for', () => {
  const mesh = meshWithResults()
  depart(mesh)
  archive(mesh, 'w1', 'a', 'b')
  mesh.leave('w1')
  mesh.workers(1)
  mesh.submit([['c', 'a']])
  for (let asked = 0; mesh.status('a') === 'finished' && asked < 100; asked++) {
    mesh.missInputs('c')
    mesh.pass(100_000)
  }
  expect(mesh.status('a')).toBe('is on w2')
  mesh.finish('a', { bytes: 1_000 })
  mesh.finish('c')
  expect(mesh.status('c')).toBe('finished')
})

test('several that look for it in vain at the same time are not blamed for that', () => {
  const mesh = meshWithResults()
  depart(mesh)
  archive(mesh, 'w1', 'a', 'b')
  mesh.leave('w1')
  mesh.join('w2', { slots: 2 })
  mesh.submit([
    ['c', 'a'],
    ['d', 'a'],
  ])
  const order = (): void => mesh.pass(100_000)
  for (let asked = 0; mesh.status('a') === 'finished' && asked < 100; asked++) {
    mesh.missInputs('c')
    if (mesh.status('a') === 'finished') mesh.missInputs('d')
    if (mesh.status('a') === 'finished') order()
  }
  // It was ordered when the checkpoint-store was still believed to have it.
  mesh.missInputs('d')
  mesh.finish('a', { bytes: 1_000 })
  order()
  for (const name of ['c', 'd']) mesh.finish(name)
  expect([mesh.status('c'), mesh.status('d')]).toEqual(['finished', 'finished'])
})

test('a departing worker that is unknown is told nothing', () => {
  const mesh = createMesh()
  expect(depart(mesh, 'stranger')).toEqual([])
  const objects = [{ objectId: 'o-1' as ObjectId, blobDigest: 'blob' }]
  mesh.happen({ kind: 'objectsArchived', workerId: 'stranger' as WorkerId, objects })
  expect(mesh.effects()).toEqual([])
})

test('who cannot reach a holder has it bring objects into the checkpoint-store, as often as it is asked until they are there', () => {
  const mesh = meshWithResults()
  mesh.effects()
  const ask = (...names: string[]): string[] => {
    mesh.happen({ kind: 'archivesRequested', objectIds: names.map((name) => mesh.idOf(name)) })
    return mesh.effects()
  }
  expect(ask('a', 'b')).toEqual(['hand over a, b on w1'])
  expect(ask('a')).toEqual(['hand over a on w1'])
  expect(archive(mesh, 'w1', 'a')).toEqual(['tell s a is archived'])
  mesh.release('b')
  mesh.effects()
  expect(ask('a', 'b', 'small')).toEqual([])
})

test('a holder whose link is cut is not asked', () => {
  const mesh = meshWithResults()
  mesh.cut('w1')
  mesh.effects()
  mesh.happen({ kind: 'archivesRequested', objectIds: [mesh.idOf('a')] })
  expect(mesh.effects()).toEqual([])
})

test('inputs that cannot be fetched again and again are brought into the checkpoint-store: the holder may be out of reach', () => {
  const mesh = createMesh()
  mesh.workers(2)
  mesh.submit(['a', ['b', 'a']])
  mesh.finish('a', { bytes: 1_000 })
  for (const [delayMs, told] of [
    [250, []],
    [500, []],
    [1_000, ['hand over a on w1']],
  ] as const) {
    mesh.effects()
    mesh.missInputs('b')
    expect(mesh.effects().filter((effect) => effect.startsWith('hand over'))).toEqual(told)
    mesh.pass(delayMs + 500)
  }
})

test('a buffer that was put into the checkpoint-store needs no worker, and outlives the scheduler', () => {
  const mesh = createMesh()
  mesh.open('s')
  mesh.scatterBlob('buffer', 's')
  mesh.scatterBlob('buffer', 's')
  mesh.restart()
  mesh.open('s')
  mesh.submit([['c', 'buffer']], { session: 's' })
  mesh.join('w1')
  expect(mesh.status('c')).toBe('is on w1')
  mesh.finish('c')
  mesh.release('buffer')
  mesh.pass(1_000)
  expect(mesh.state.objects.size).toBe(0)
})
