import { expect, test } from 'vitest'

import { unusedLeaseMs } from './state.js'
import { TestStore } from './test-store.fixture.js'

const stale = { code: 'ABORTED', reason: 'STALE_LEASE' }

test('who takes a name over writes, and who had it before does not any more', () => {
  const store = new TestStore()
  const first = store.tokenFor('a', 'attempt 1')
  expect(store.save('a', 'd1', { writerToken: first })).toEqual({ version: 1 })
  const second = store.tokenFor('a', 'attempt 2')
  expect(second).toBeGreaterThan(first)
  const refusal = store.save('a', 'zombie', { writerToken: first })
  expect(refusal).toMatchObject(stale)
  expect(refusal).toMatchObject({ message: expect.stringContaining('taken over by attempt 2') as string })
  expect(store.save('a', 'd2', { writerToken: second })).toEqual({ version: 2 })
  expect(store.save('b', 'd3', { writerToken: store.tokenFor('b', 'another') })).toEqual({ version: 1 })
})

test('a save that was begun before the name was taken over comes to nothing', () => {
  const store = new TestStore()
  const writerToken = store.tokenFor('a', 'attempt 1')
  const put = store.openPut({ checkpoint: 'a', requestId: 'r', writerToken }) as number
  store.tokenFor('a', 'attempt 2')
  expect(store.storeCheckpoint(put, 'a', 'd', { requestId: 'r', writerToken })).toMatchObject(stale)
  expect(store.collect()).toEqual(['d'])
  expect(store.versions('a')).toEqual([])
})

test('tokens only grow: after a restart, after a delete, and when nobody remembers the lease', () => {
  const store = new TestStore()
  const before = store.tokenFor('a', 'one')
  store.restart()
  const after = store.tokenFor('a', 'two')
  expect(after).toBeGreaterThan(before)
  expect(store.save('a', 'd', { writerToken: before })).toMatchObject(stale)
  store.save('a', 'd', { writerToken: after })
  store.remove('a')
  expect(store.save('a', 'd', { writerToken: before })).toMatchObject(stale)
  store.nowMs += unusedLeaseMs
  store.sweep()
  expect(store.state.leases.size).toBe(0)
  store.restart()
  expect(store.tokenFor('a', 'three')).toBeGreaterThan(after)
})

test('a lease that is asked for again with the same request is the same', () => {
  const store = new TestStore()
  const first = store.lease('a', 'one', 'r')
  expect(store.lease('a', 'one', 'r')).toEqual(first)
  expect(store.lease('b', 'one', 'r')).toMatchObject({ reason: 'REQUEST_ID_REUSED' })
})

test('a slow writer whose lease was forgotten still writes when nobody came after it', () => {
  const store = new TestStore()
  const writerToken = store.tokenFor('a', 'slow')
  store.nowMs += 2 * unusedLeaseMs
  store.sweep()
  expect(store.save('a', 'd', { writerToken })).toEqual({ version: 1 })
})

test('a save without a lease asks nobody', () => {
  const store = new TestStore()
  store.save('a', 'd1', { writerToken: store.tokenFor('a', 'a task') })
  expect(store.save('a', 'd2')).toEqual({ version: 2 })
})
