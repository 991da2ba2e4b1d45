import { expect, test } from 'vitest'

import type { JobId, WorkerId } from '#libs/domain'

import { countVolatile } from './archives.js'
import { createMesh, type Mesh } from './testing/mesh.js'

/** What is said about the checkpoint-store since the last look. */
function broughtBy(mesh: Mesh): string[] {
  return mesh.effects().filter((effect) => effect.includes('hand') || effect.includes('archive of'))
}

function archive(mesh: Mesh, worker: string, ...names: string[]): void {
  const objects = names.map((name) => ({ objectId: mesh.idOf(name), blobDigest: `blob of ${name}` }))
  mesh.happen({ kind: 'objectsArchived', workerId: worker as WorkerId, objects })
}

function volatileOf(mesh: Mesh, name: string): number {
  return countVolatile(mesh.state, mesh.task(name).job)
}

/** A detached job with one large result, which w1 holds. */
function withDetachedResult(): Mesh {
  const mesh = createMesh()
  mesh.workers(1)
  mesh.submit(['a'], { detached: true })
  mesh.finish('a', { bytes: 1_000 })
  return mesh
}

test('where that is asked for, a large result that no task waits for is brought to the checkpoint-store, and no other', () => {
  const mesh = createMesh({ durableResultBytes: 1_000 })
  mesh.workers(3)
  mesh.submit(['large', 'small', 'between', ['last', 'between']])
  mesh.release('between')
  mesh.effects()
  mesh.finish('between', { bytes: 5_000 })
  mesh.finish('small', { bytes: 999 })
  expect(broughtBy(mesh)).toEqual([])
  mesh.finish('large', { bytes: 1_000 })
  expect(broughtBy(mesh)).toHaveLength(1)
  mesh.release('last')
  mesh.finish('last', { bytes: 5_000 })
  expect(broughtBy(mesh)).toEqual([])
})

test('what somebody wants is brought when the last task that waited for it has it', () => {
  const mesh = createMesh({ durableResultBytes: 1_000 })
  mesh.workers(1)
  mesh.submit(['between', ['last', 'between']])
  mesh.finish('between', { bytes: 5_000 })
  expect(broughtBy(mesh)).toEqual([])
  mesh.finish('last')
  expect(broughtBy(mesh)).toEqual(['hand over between on w1'])
})

test('who has not done so is told again when he comes back', () => {
  const mesh = createMesh({ durableResultBytes: 1_000 })
  mesh.workers(1)
  mesh.submit(['a'])
  mesh.finish('a', { bytes: 1_000 })
  mesh.effects()
  mesh.cut('w1')
  mesh.join('w1', { objects: ['a'] })
  expect(broughtBy(mesh)).toHaveLength(1)
})

test('unless it is asked for, nothing of a job is brought anywhere whose client is there', () => {
  const mesh = createMesh()
  mesh.workers(1)
  mesh.submit(['a'])
  mesh.finish('a', { bytes: 1e9 })
  expect(broughtBy(mesh)).toEqual([])
  expect(volatileOf(mesh, 'a')).toBe(0)
})

test('results of detached jobs are brought unless it is told otherwise, and count as volatile until they are there', () => {
  const mesh = withDetachedResult()
  expect(broughtBy(mesh)).toEqual(['hand over a on w1'])
  expect(volatileOf(mesh, 'a')).toBe(1)
  archive(mesh, 'w1', 'a')
  expect(volatileOf(mesh, 'a')).toBe(0)
  mesh.lose('w1')
  expect(mesh.status('a')).toBe('finished')

  const without = createMesh({ durableDetachedBytes: Infinity })
  without.workers(1)
  without.submit(['b'], { detached: true })
  without.finish('b', { bytes: 1_000 })
  expect([broughtBy(without), volatileOf(without, 'b')]).toEqual([[], 0])
})

test('a job that is pinned has its results brought then', () => {
  const mesh = createMesh()
  mesh.workers(1)
  mesh.submit(['a', 'small'], { job: 'j' })
  mesh.finish('a', { bytes: 1_000 })
  mesh.finish('small')
  expect(broughtBy(mesh)).toEqual([])
  mesh.happen({ kind: 'persistRequested', jobId: 'j' as JobId, name: 'name' })
  expect(broughtBy(mesh)).toEqual(['hand over a on w1'])
})

test('what did not come there is asked for again, until it has', () => {
  const mesh = withDetachedResult()
  mesh.pass(mesh.state.policy.archiveAgainMs)
  broughtBy(mesh)
  mesh.pass(mesh.state.policy.archiveAgainMs)
  expect(broughtBy(mesh)).toEqual(['hand over a on w1'])
  archive(mesh, 'w1', 'a')
  mesh.pass(2 * mesh.state.policy.archiveAgainMs)
  expect(broughtBy(mesh)).toEqual([])
})

test('when its worker is lost before it has, another holder brings it; when there is none it is computed again', () => {
  const mesh = withDetachedResult()
  mesh.join('w2')
  mesh.copy('w2', 'a')
  mesh.effects()
  mesh.lose('w1')
  expect(new Set(broughtBy(mesh))).toEqual(new Set(['hand over a on w2']))
  mesh.lose('w2')
  mesh.join('w3')
  mesh.finish('a', { bytes: 1_000 })
  expect(broughtBy(mesh)).toEqual(['hand over a on w3'])
})

test('after a restart a copy is brought whose maker is gone: nobody else would see to it', () => {
  const mesh = withDetachedResult()
  mesh.restart()
  mesh.join('w2')
  broughtBy(mesh)
  mesh.copy('w2', 'a')
  expect(broughtBy(mesh)).toEqual(['hand over a on w2'])
})

test('the checkpoint-store is told when nobody wants a result any more, by who can', () => {
  const mesh = withDetachedResult()
  archive(mesh, 'w1', 'a')
  mesh.leave('w1')
  mesh.effects()
  mesh.release('a')
  expect(broughtBy(mesh)).toEqual([])
  mesh.join('w2')
  expect(broughtBy(mesh)).toEqual(['release the archive of a by w2'])
  mesh.join('w3')
  expect(broughtBy(mesh)).toEqual([])
})

test('a job that is kept no longer leaves nothing in the checkpoint-store', () => {
  const mesh = createMesh({ maxSettledJobs: 0 })
  mesh.workers(1)
  mesh.submit(['a'], { detached: true })
  mesh.finish('a', { bytes: 1_000 })
  archive(mesh, 'w1', 'a')
  mesh.effects()
  mesh.tick()
  expect(broughtBy(mesh)).toEqual(['release the archive of a by w1'])
})

test('what comes there too late is not kept there', () => {
  const mesh = withDetachedResult()
  mesh.release('a')
  mesh.effects()
  archive(mesh, 'w1', 'a')
  expect(broughtBy(mesh)).toEqual(['release the archive of a by w1'])
})

test('a result that was given up and is wanted again is computed again, not looked for in the checkpoint-store', () => {
  const mesh = withDetachedResult()
  archive(mesh, 'w1', 'a')
  mesh.release('a')
  mesh.submit([['b', 'a']])
  expect(mesh.status('b')).toBe('waits for 1')
  expect(mesh.task('a').status.kind).not.toBe('settled')
})
