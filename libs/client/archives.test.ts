import { expect, test } from 'vitest'

import type { ArchiveObjectsResponse } from '#libs/proto'

import { Archives } from './archives.js'

const awaited: ArchiveObjectsResponse = { objects: [], awaitedObjectIds: ['a'] }
const there: ArchiveObjectsResponse = { objects: [{ objectId: 'a', blobDigest: 'blob' }], awaitedObjectIds: [] }
const gone: ArchiveObjectsResponse = { objects: [], awaitedObjectIds: [] }

/** A scheduler that gives these answers, the last one for ever. */
function createLab(...answers: ArchiveObjectsResponse[]) {
  let asked = 0
  const archives = new Archives({
    archiveObjects: async () => {
      await new Promise(setImmediate)
      return (answers[asked++] ?? answers.at(-1)) as ArchiveObjectsResponse
    },
  })
  return { archives, asked: () => asked }
}

test('it is asked for until a worker has brought it', async () => {
  const { archives, asked } = createLab(awaited, awaited, there)
  expect(await Promise.all([archives.bring('a')])).toEqual(['blob'])
  expect(asked()).toBe(3)
  expect(archives.get('a')).toBe('blob')
})

test('what no worker holds is not waited for', async () => {
  const { archives, asked } = createLab(gone)
  expect(await archives.bring('a')).toBeUndefined()
  expect(asked()).toBe(1)
})

test('who is told meanwhile that it is there, or lost, waits no longer', async () => {
  const told = createLab(awaited)
  const first = told.archives.bring('a')
  told.archives.note('a', 'other blob')
  expect(await first).toBe('other blob')

  const lost = createLab(awaited)
  const both = [lost.archives.bring('a'), lost.archives.bring('a')]
  lost.archives.forget('a')
  expect(await Promise.all(both)).toEqual([undefined, undefined])
})
