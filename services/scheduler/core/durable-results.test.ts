import { expect, test } from 'vitest'

import { createMesh } from './testing/mesh.js'

const broughtBy = (effects: readonly string[]): string[] => effects.filter((effect) => effect.includes('hand'))

test('a large result that no task waits for is brought to the checkpoint-store, and no other', () => {
  const mesh = createMesh({ durableResultBytes: 1_000 })
  mesh.workers(3)
  mesh.submit(['large', 'small', 'between', ['last', 'between']])
  mesh.effects()
  mesh.finish('between', { bytes: 5_000 })
  mesh.finish('small', { bytes: 999 })
  expect(broughtBy(mesh.effects())).toEqual([])
  mesh.finish('large', { bytes: 1_000 })
  expect(broughtBy(mesh.effects())).toHaveLength(1)
  mesh.release('last')
  mesh.finish('last', { bytes: 5_000 })
  expect(broughtBy(mesh.effects())).toEqual([])
})

test('who has not done so is told again when he comes back', () => {
  const mesh = createMesh({ durableResultBytes: 1_000 })
  mesh.workers(1)
  mesh.submit(['a'])
  mesh.finish('a', { bytes: 1_000 })
  mesh.effects()
  mesh.cut('w1')
  mesh.join('w1', { objects: ['a'] })
  expect(broughtBy(mesh.effects())).toHaveLength(1)
})

test('unless it is asked for nothing is brought anywhere', () => {
  const mesh = createMesh()
  mesh.workers(1)
  mesh.submit(['a'])
  mesh.finish('a', { bytes: 1e9 })
  expect(broughtBy(mesh.effects())).toEqual([])
})
