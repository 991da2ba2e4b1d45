import { expect, test } from 'vitest'

import type { WorkerId } from '#libs/domain'

import { createMesh } from './testing/mesh.js'
import { unheardPulse } from './pulse.js'

/** Two workers of one slot: w1 has the object `x` and runs a task that should take 50 ms, w2 has nothing to do. */
function withBusyHolder(byteLength: number) {
  const mesh = createMesh()
  mesh.join('w1')
  mesh.submit(['first'], { kind: 'f' })
  mesh.finish('first', { runMs: 50 })
  mesh.scatter('w1', 'x', undefined, byteLength)
  mesh.submit(['running'], { kind: 'f' })
  mesh.join('w2')
  expect(mesh.status('running')).toBe('is on w1')
  return mesh
}

test('what is soon moved is moved to an idle worker; what is not waits where it is', () => {
  const small = withBusyHolder(1_000_000)
  small.submit([['a', 'x']], { kind: 'f' })
  expect(small.status('a')).toBe('is on w2')
  const large = withBusyHolder(100_000_000)
  large.submit([['a', 'x']], { kind: 'f' })
  expect(large.status('a')).toBe('is on w1')
})

test('how fast a worker gets inputs is what it has measured', () => {
  const mesh = withBusyHolder(100_000_000)
  const pulse = { ...unheardPulse, fetchBytesPerSecond: 1e10 }
  mesh.happen({ kind: 'workerHeard', workerId: 'w2' as WorkerId, pulse })
  mesh.submit([['a', 'x']], { kind: 'f' })
  expect(mesh.status('a')).toBe('is on w2')
})

test('of those that are idle, the one that has most to begin with', () => {
  const mesh = createMesh()
  mesh.workers(3)
  mesh.scatter('w2', 'x', undefined, 1_000)
  mesh.scatter('w3', 'y', undefined, 2_000)
  mesh.submit([['a', 'x', 'y']])
  expect(mesh.status('a')).toBe('is on w3')
})
