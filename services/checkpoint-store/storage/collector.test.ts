import { expect, test } from 'vitest'

import { createCollector } from './collector.js'
import { createDigestLocks } from './digest-locks.js'
import { createMemoryChunkStore } from './memory-chunk-store.js'

const digest = 'ab'.repeat(32)
const garbage = [{ kind: 'collectChunk', digest }] as const

function setUp(mayCollect: () => boolean) {
  const chunks = createMemoryChunkStore()
  const locks = createDigestLocks()
  const failures: unknown[] = []
  const collector = createCollector({
    chunks,
    locks,
    mayCollect: async () => mayCollect(),
    onFailure: (_, error) => failures.push(error),
  })
  return { chunks, locks, collector, failures }
}

test('the file of garbage goes', async () => {
  const { chunks, collector } = setUp(() => true)
  chunks.chunks.set(digest, Buffer.from('x'))
  collector.perform(garbage)
  await collector.idle()
  expect(chunks.chunks.size).toBe(0)
})

test('what is put again before its turn comes stays, and what is put after it too', async () => {
  let needed = false
  const { chunks, locks, collector } = setUp(() => !needed)
  const put = (): Promise<void> =>
    locks.hold([digest], async () => {
      await chunks.publish([await chunks.write(digest, Buffer.from('x'))])
      needed = true
    })
  const before = put()
  collector.perform(garbage)
  await Promise.all([before, collector.idle()])
  expect(chunks.chunks.has(digest)).toBe(true)
  needed = false
  collector.perform(garbage)
  await Promise.all([put(), collector.idle()])
  expect(chunks.chunks.has(digest)).toBe(true)
})

test('a file that cannot be deleted is reported and stops nobody', async () => {
  const { chunks, collector, failures } = setUp(() => true)
  chunks.remove = () => Promise.reject(new Error('EROFS'))
  collector.perform(garbage)
  collector.perform(garbage)
  await collector.idle()
  expect(failures).toEqual([new Error('EROFS'), new Error('EROFS')])
})
