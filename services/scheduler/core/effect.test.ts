import { expect, test } from 'vitest'

import type { JobId, ObjectId, WorkerId } from '#libs/domain'

import { byFlush, type Effect } from './effect.js'
import type { Fact } from './fact.js'

const workerId = 'w' as WorkerId
const dispatch: Effect = { kind: 'runTask', workerId, task: {} as never, attempt: 1, epoch: 1 }
const acknowledgement: Effect = {
  kind: 'acknowledgeEnd',
  workerId,
  attempt: { jobId: 'j' as JobId, index: 0, epoch: 1, attempt: 1 },
}
const cancelled: Fact = { kind: 'jobCancelled', jobId: 'j' as JobId }

test('only dispatches go before the flush', () => {
  expect(byFlush({ facts: [cancelled], effects: [acknowledgement, dispatch] })).toEqual({
    early: [dispatch],
    late: [acknowledgement],
  })
})

test('what is remembered as settled does not run again before the flush', () => {
  const facts: Fact[] = [cancelled, { kind: 'taskReopened', jobId: 'j' as JobId, index: 0 }]
  expect(byFlush({ facts, effects: [dispatch] })).toEqual({ early: [], late: [dispatch] })
})

test('a run that makes an object again comes after the release of the object', () => {
  const release: Effect = { kind: 'releaseObject', workerId, objectId: 'j/0' as ObjectId }
  expect(byFlush({ facts: [], effects: [release, dispatch] })).toEqual({ early: [], late: [release, dispatch] })
})

test('what is sent ahead of its input goes with the task that makes it, behind it', () => {
  const maker: Effect = { ...dispatch, attempt: 2 }
  const follower: Effect = { ...dispatch, attempt: 3 }
  expect(byFlush({ facts: [], effects: [maker, acknowledgement, follower] }).early).toEqual([maker, follower])
  const facts: Fact[] = [{ kind: 'taskReopened', jobId: 'j' as JobId, index: 0 }]
  expect(byFlush({ facts, effects: [maker, follower] })).toEqual({ early: [], late: [maker, follower] })
})
