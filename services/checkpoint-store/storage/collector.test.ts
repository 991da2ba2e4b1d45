import { expect, test } from 'vitest'

import { createCollector } from './collector.js'
import { createDigestLocks } from './digest-locks.js'
import { createMemoryBlobStore } from './memory-blob-store.js'

const digest = 'ab'.repeat(32)
const garbage = [{ kind: 'collectBlob', digest }] as const

function setUp(mayCollect: () => boolean) {
  const blobs = createMemoryBlobStore()
  const locks = createDigestLocks()
  const failures: unknown[] = []
  const collector = createCollector({
    blobs,
    locks,
    mayCollect: async () => mayCollect(),
    onFailure: (_, error) => failures.push(error),
  })
  return { blobs, locks, collector, failures }
}

test('the file of garbage goes', async () => {
  const { blobs, collector } = setUp(() => true)
  blobs.blobs.set(digest, Buffer.from('x'))
  collector.perform(garbage)
  await collector.idle()
  expect(blobs.blobs.size).toBe(0)
})

test('what is put again before its turn comes stays, and what is put after it too', async () => {
  let needed = false
  const { blobs, locks, collector } = setUp(() => !needed)
  const put = (): Promise<void> =>
    locks.hold([digest], async () => {
      const writer = await blobs.create()
      await writer.write(Buffer.from('x'))
      await writer.commit(digest)
      needed = true
    })
  const before = put()
  collector.perform(garbage)
  await Promise.all([before, collector.idle()])
  expect(blobs.blobs.has(digest)).toBe(true)
  needed = false
  collector.perform(garbage)
  await Promise.all([put(), collector.idle()])
  expect(blobs.blobs.has(digest)).toBe(true)
})

test('a file that cannot be deleted is reported and stops nobody', async () => {
  const { blobs, collector, failures } = setUp(() => true)
  blobs.remove = () => Promise.reject(new Error('EROFS'))
  collector.perform(garbage)
  collector.perform(garbage)
  await collector.idle()
  expect(failures).toEqual([new Error('EROFS'), new Error('EROFS')])
})
