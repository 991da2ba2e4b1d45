import { expect, test } from 'vitest'

import { createDeparture } from './departure.js'

/** A worker that holds these objects, and what it says; `unreachable` ones cannot be brought into the checkpoint-store. */
function createHolder(objectIds: string[], unreachable: string[] = []) {
  const said: string[] = []
  const held = new Set(objectIds)
  let linked = true
  const departure = createDeparture({
    isEmpty: () => held.size === 0,
    report: (report) => {
      if (!linked) return false
      const archived = report.$case === 'objectsArchived' ? report.value.objects : []
      const dropped = report.$case === 'objectsDropped' ? report.value.objectIds : []
      const names = [...archived.map(({ objectId, blobDigest }) => `${objectId} as ${blobDigest}`), ...dropped]
      said.push([report.$case, ...names].join(' '))
      return true
    },
    archive: async (objectId) => {
      if (unreachable.includes(objectId)) throw new Error('the disk is full')
      return held.has(objectId) ? `blob-${objectId}` : undefined
    },
    leave: () => said.push('leaves'),
    failed: (error) => said.push(`fails: ${(error as Error).message}`),
  })
  return { departure, said, held, setLinked: (is: boolean) => (linked = is) }
}

test('a worker that holds nothing leaves at once', () => {
  const { departure, said } = createHolder([])
  departure.begin()
  departure.begin()
  expect(said).toEqual(['leaves'])
})

test('what it is told it hands over, or says that it does not hold it, and asks again until there is nothing left', async () => {
  const { departure, said, held } = createHolder(['a', 'b', 'c'])
  departure.begin()
  held.delete('b')
  await departure.handOver(['a', 'b'])
  expect(said).toEqual(['departing', 'objectsArchived a as blob-a', 'objectsDropped b', 'departing'])
  await departure.handOver([])
  expect(said.slice(4)).toEqual(['leaves'])
})

test('a worker that stays brings what is asked for, once at a time, says what it cannot bring, and goes on', async () => {
  const { departure, said } = createHolder(['a', 'b', 'full'], ['full'])
  await Promise.all([departure.handOver(['a', 'b', 'gone']), departure.handOver(['a'])])
  await departure.handOver([])
  await departure.handOver(['full'])
  expect(said).toEqual([
    'objectsArchived a as blob-a',
    'objectsArchived b as blob-b',
    'objectsDropped gone',
    'fails: the disk is full',
  ])
  departure.begin()
  expect(said.at(-1)).toBe('departing')
})

test('what was asked on a link that was cut is asked again', async () => {
  const { departure, said, setLinked } = createHolder(['a'])
  setLinked(false)
  departure.begin()
  departure.relinked()
  setLinked(true)
  departure.relinked()
  expect(said).toEqual(['departing'])
  await departure.handOver([])
  departure.relinked()
  expect(said).toEqual(['departing', 'leaves'])
})

test('where the checkpoint-store takes nothing, the worker says so and leaves; what was over before is known', async () => {
  const { departure, said } = createHolder(['a', 'b'], ['b'])
  departure.begin()
  await departure.handOver(['a', 'b'])
  expect(said).toEqual(['departing', 'objectsArchived a as blob-a', 'fails: the disk is full', 'leaves'])
})
