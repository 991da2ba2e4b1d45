import { expect, test } from 'vitest'

import { createMesh } from './testing/mesh.js'

/** A result of 1,000 bytes on w1, which its client wants. */
function withResult() {
  const mesh = createMesh()
  mesh.workers(3)
  mesh.open('s')
  mesh.submit(['a'], { session: 's' })
  mesh.finish('a', { bytes: 1_000 })
  mesh.effects()
  return mesh
}

test('a copy of a result is as good as the first: it is not computed again when that is lost', () => {
  const mesh = withResult()
  mesh.copy('w2', 'a')
  mesh.copy('w2', 'a')
  expect([...(mesh.task('a').holders ?? [])]).toEqual(['w1', 'w2'])
  mesh.effects()
  mesh.leave('w1')
  expect(mesh.effects()).toEqual([])
  expect([mesh.status('a'), ...(mesh.task('a').holders ?? [])]).toEqual(['finished', 'w2'])
  mesh.release('a')
  expect(mesh.effects()).toEqual(['release a on w2'])
})

test('a copy that comes after the release is forgotten at once', () => {
  const mesh = withResult()
  mesh.release('a')
  mesh.effects()
  mesh.copy('w2', 'a')
  expect(mesh.effects()).toContain('release a on w2')
  expect(mesh.state.workers.get('w2' as never)?.objects.size).toBe(0)
})

test('a copy of what is computed again counts no more; who is to compute it drops it by itself', () => {
  const mesh = withResult()
  mesh.leave('w1')
  const on = mesh.effects().join().includes('run a#2 on w2') ? ['w2', 'w3'] : ['w3', 'w2']
  mesh.copy(on[1] ?? '', 'a')
  expect(mesh.effects()).toContain(`release a on ${on[1]}`)
  mesh.copy(on[0] ?? '', 'a')
  expect(mesh.effects().filter((effect) => effect.includes('release'))).toEqual([])
  expect(mesh.task('a').holders?.size ?? 0).toBe(0)
})

test('after a restart a copy is enough for those who wait for the result', () => {
  const mesh = withResult()
  mesh.submit([['b', 'a']], { session: 's' })
  mesh.restart()
  mesh.join('w2')
  mesh.copy('w2', 'a')
  expect(mesh.effects().join()).not.toContain('a is lost')
  expect([...(mesh.task('a').holders ?? [])]).toEqual(['w2'])
})
