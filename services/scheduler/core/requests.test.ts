import { expect, test } from 'vitest'

import type { JobId, WorkerId } from '#libs/domain'

import { Mesh } from './testing/mesh.js'

const id = (n: number) => `request ${n}`

test('answers are remembered for an hour, and the oldest are forgotten when there are too many', () => {
  const mesh = new Mesh({ rememberRequests: 2 })
  mesh.submit(['a'], { job: 'j' })
  for (const n of [1, 2, 3]) {
    mesh.happen({ kind: 'persistRequested', callId: n, requestId: id(n), jobId: 'j' as JobId, name: 'name' })
  }
  expect([...mesh.state.requests.keys()]).toEqual([id(2), id(3)])
  mesh.pass(3_600_001)
  mesh.happen({ kind: 'cancelRequested', callId: 4, requestId: id(4), jobId: 'j' as JobId, reason: '' })
  expect([...mesh.state.requests.keys()]).toEqual([id(4)])
})

test('a duplicate cancels nothing again', () => {
  const mesh = new Mesh()
  mesh.submit(['a'], { job: 'j' })
  const cancel = { kind: 'cancelRequested', requestId: id(1), jobId: 'j' as JobId, reason: 'test' } as const
  mesh.happen({ ...cancel, callId: 1 })
  const { facts } = mesh
  const count = facts.length
  mesh.happen({ ...cancel, callId: 2 })
  expect(facts).toHaveLength(count)
})

test('a refusal is not remembered: the same request may be served later', () => {
  const mesh = new Mesh()
  const drain = { kind: 'drainRequested', requestId: id(1), workerId: 'w1' as WorkerId, onlyIfIdle: false } as const
  mesh.happen({ ...drain, callId: 1 })
  expect(mesh.state.requests.size).toBe(0)
  mesh.workers(1)
  mesh.happen({ ...drain, callId: 2 })
  expect(mesh.state.requests.get(id(1))).toMatchObject({ worker: { profile: { workerId: 'w1' }, draining: true } })
})
