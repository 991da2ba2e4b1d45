import { expect, test } from 'vitest'

import { ObjectDescriptor, type ObjectsStored } from '#libs/proto'

import { createAnnouncements } from './announcements.js'

const object = { ...ObjectDescriptor.fromPartial({}), objectId: 'o-1', byteLength: 8n }
const report = { requestId: 'r1', sessionId: 's', objects: [object] }

function setUp() {
  const said: ObjectsStored[] = []
  const link = { isOpen: true }
  const dropped = new Set<string>()
  const announcements = createAnnouncements(
    (stored) => {
      if (link.isOpen) said.push(stored)
      return link.isOpen
    },
    (objectId) => !dropped.has(objectId),
  )
  return { said, link, dropped, announcements }
}

test('all who announce under one request id hear the one acknowledgement', async () => {
  const { said, announcements } = setUp()
  const all = [1, 2, 3].map(() => announcements.announce(report))
  expect(said).toHaveLength(1)
  announcements.acknowledge('r1')
  await Promise.all(all)
  expect(announcements.repeat()).toEqual([])
})

test('a report is pending until it is acknowledged', async () => {
  const { announcements } = setUp()
  const announced = announcements.announce(report)
  expect(announcements.repeat().map((pending) => pending.report)).toEqual([report])
  announcements.acknowledge('another')
  announcements.acknowledge('r1')
  await announced
  expect(announcements.repeat()).toEqual([])
})

test('a report without a request id gets one of its own', () => {
  const { said, announcements } = setUp()
  for (const _ of [1, 2]) void announcements.announce({ ...report, requestId: '' })
  expect(new Set(said.map(({ requestId }) => requestId)).size).toBe(2)
})

test('what is announced between the hello and its answer is said then, and nothing else twice', () => {
  const { said, link, announcements } = setUp()
  link.isOpen = false
  void announcements.announce(report)
  expect(announcements.repeat()).toHaveLength(1)
  void announcements.announce({ ...report, requestId: 'r2' })
  link.isOpen = true
  announcements.catchUp()
  announcements.catchUp()
  expect(said.map(({ requestId }) => requestId)).toEqual(['r2'])
})

test('what is dropped before the scheduler has heard of it is not announced on the next link, and nobody waits for that', async () => {
  const { said, link, dropped, announcements } = setUp()
  link.isOpen = false
  const alone = announcements.announce(report)
  void announcements.announce({ ...report, requestId: 'r2', objects: [object, { ...object, objectId: 'o-2' }] })
  dropped.add('o-1')
  await Promise.all([alone, Promise.resolve(announcements.repeat())])
  link.isOpen = true
  expect(announcements.repeat().map((pending) => pending.report.objects.map(({ objectId }) => objectId))).toEqual([
    ['o-2'],
  ])
  expect(said).toEqual([])
})
