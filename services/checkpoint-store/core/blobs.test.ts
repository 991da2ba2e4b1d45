import { expect, test } from 'vitest'

import { usePrecisionMs } from './state.js'
import { bodyOf, chunkLength, TestStore } from './test-store.fixture.js'

const dayMs = 86_400_000

test('a blob is there once it was put, and a second put of it sends nothing', () => {
  const store = new TestStore()
  expect(store.get({ blob: 'd' }).answer).toMatchObject({ code: 'NOT_FOUND', reason: 'BLOB_NOT_FOUND' })
  expect(store.put('d')).toBeNull()
  expect(store.get({ blob: 'd' }).answer).toEqual({ kind: 'blob', body: bodyOf('d') })
  expect(store.put('d')).toEqual({ kind: 'alreadyStored', version: 0 })
  expect(store.ask({ kind: 'blobsSought', digests: ['x', 'd'] })).toEqual(['d'])
})

test('bytes that are only a part of a checkpoint are not promised to anybody, and are kept once they are put', () => {
  const store = new TestStore()
  store.save('a', 'd')
  expect(store.ask({ kind: 'blobsSought', digests: ['d'] })).toEqual([])
  expect(store.put('d')).toBeNull()
  store.remove('a')
  expect(store.collect()).toEqual([])
  expect(store.get({ blob: 'd' }).answer).toMatchObject({ kind: 'blob' })
})

test('the blob that was not used for longest makes room for a new one', () => {
  const store = new TestStore({ maxDiskBytes: 3 * chunkLength })
  for (const digest of ['old', 'used', 'middle']) {
    store.put(digest)
    store.nowMs += dayMs
  }
  store.get({ blob: 'old' })
  const { getId } = store.get({ blob: 'used' })
  store.feed({ kind: 'getClosed', getId })
  store.nowMs += dayMs
  // `old` is being read, `used` was used after `middle`.
  store.put('new')
  expect(store.collect()).toEqual(['middle'])
  expect(store.ask({ kind: 'blobsSought', digests: ['old', 'used', 'middle', 'new'] })).toEqual(['old', 'used', 'new'])
})

test('what is needed or was just used is not dropped: there is no room', () => {
  const store = new TestStore({ maxDiskBytes: 3 * chunkLength })
  store.put('pinned by a checkpoint')
  store.save('a', 'pinned by a checkpoint')
  store.nowMs += dayMs
  store.put('just used')
  expect(store.put('reserved')).toBeNull()
  store.nowMs += store.policy.pruneAfterMs - 1
  const refusal = { code: 'RESOURCE_EXHAUSTED', reason: 'DISK_LIMIT_REACHED' }
  expect(store.put('new')).toMatchObject(refusal)
  expect(store.openPut({ checkpoint: 'a', requestId: 'r' }, 1)).toMatchObject({
    ...refusal,
    message: expect.stringMatching('300 of 300 bytes, and 1 more do not fit: .*costate checkpoints prune') as string,
  })
  expect(store.garbage).toEqual([])
  store.nowMs += 1
  expect(store.put('new')).toBeNull()
  expect(store.collect()).toEqual(['just used'])
})

test('puts under way hold their room until they are over', () => {
  const store = new TestStore({ maxDiskBytes: 2 * chunkLength })
  const first = store.openPut({ blob: 'a' }) as number
  store.openPut({ blob: 'b' })
  expect(store.openPut({ blob: 'c' })).toMatchObject({ reason: 'DISK_LIMIT_REACHED' })
  store.feed({ kind: 'putAborted', putId: first, orphans: [] })
  store.feed({ kind: 'putAborted', putId: first, orphans: [] })
  expect(typeof store.openPut({ blob: 'c' })).toBe('number')
})

test('a blob that is found damaged is not given out, and heals when it is put again', () => {
  const store = new TestStore()
  store.put('d')
  store.save('a', 'd')
  store.save('a', 'd2')
  store.save('a', 'd')
  store.feed({ kind: 'chunkExamined', digest: 'd', health: 'damaged' })
  expect(store.get({ blob: 'd' }).answer).toMatchObject({ code: 'DATA_LOSS', reason: 'BLOB_DAMAGED' })
  expect(store.get({ checkpoint: 'a' }).answer).toMatchObject({
    code: 'DATA_LOSS',
    message: 'version 3 of checkpoint a is not on disk as it was stored: version 2 is sound, load that one',
  })
  expect(store.ask({ kind: 'blobsSought', digests: ['d'] })).toEqual([])
  expect(store.put('d')).toBeNull()
  expect(store.get({ checkpoint: 'a' }).answer).toMatchObject({ version: { body: { digest: 'd' } } })
})

test('reading a blob is remembered, but not each time', () => {
  const store = new TestStore()
  store.put('d')
  const facts = store.facts.length
  store.nowMs += usePrecisionMs - 1
  store.get({ blob: 'd' })
  expect(store.facts).toHaveLength(facts)
  store.nowMs += 1
  store.get({ blob: 'd' })
  store.get({ blob: 'd' })
  expect(store.facts.slice(facts)).toEqual([{ kind: 'blobKept', atMs: store.nowMs, body: bodyOf('d') }])
})

test('a restart compares with the disk: orphans go, what is missing is said to be missing', () => {
  const store = new TestStore()
  store.put('here')
  store.put('lost')
  store.save('a', 'version')
  store.restart(['here', 'version', 'orphan'])
  expect(store.collect()).toEqual(['orphan'])
  expect(store.get({ blob: 'here' }).answer).toMatchObject({ kind: 'blob' })
  expect(store.get({ blob: 'lost' }).answer).toMatchObject({
    code: 'DATA_LOSS',
    message: 'blob lost is gone from the disk: put it again',
  })
  expect(store.put('lost')).toBeNull()
})

test('garbage of before a restart is collected after it', () => {
  const store = new TestStore()
  store.save('a', 'd')
  store.get({ checkpoint: 'a' })
  store.remove('a')
  expect(store.collect()).toEqual([])
  store.restart()
  expect(store.collect()).toEqual(['d'])
})

test('when fewer versions are kept than before, a restart drops the others', () => {
  const store = new TestStore({ keepVersions: 3 })
  for (const digest of ['d1', 'd2', 'd3']) store.save('a', digest)
  Object.assign(store.policy, { keepVersions: 1 })
  store.restart()
  expect(store.versions('a')).toEqual([3])
  expect(store.collect()).toEqual(['d1', 'd2'])
})

test('a chunk that is here already need not be written, and stays until the put that relies on it is over', () => {
  const store = new TestStore({ keepVersions: 1 })
  store.save('a', ['same', 'changed'])
  const put = store.openPut({ checkpoint: 'b', requestId: 'r' }) as number
  expect(store.seekChunk(put, 'same')).toBe(true)
  expect(store.seekChunk(put, 'new')).toBe(false)
  store.remove('a')
  expect(store.collect()).toEqual(['changed'])
  store.storeCheckpoint(put, 'b', ['same', 'new'], { requestId: 'r' })
  expect(store.state.liveBytes).toBe(2 * chunkLength)
  const given = store.openPut({ checkpoint: 'c', requestId: 'r2' }) as number
  expect(store.seekChunk(given, 'same')).toBe(true)
  store.remove('b')
  expect(store.collect()).toEqual(['new'])
  store.feed({ kind: 'putAborted', putId: given, orphans: [] })
  expect(store.collect()).toEqual(['same'])
  expect(store.seekChunk(given, 'same')).toBe(false)
})

test('a chunk that is damaged is written again by whoever brings it', () => {
  const store = new TestStore()
  store.save('a', ['d', 'e'])
  store.feed({ kind: 'chunkExamined', digest: 'e', health: 'damaged' })
  const put = store.openPut({ checkpoint: 'b', requestId: 'r' }) as number
  expect([store.seekChunk(put, 'd'), store.seekChunk(put, 'e')]).toEqual([true, false])
  store.storeCheckpoint(put, 'b', ['d', 'e'], { requestId: 'r' })
  expect(store.get({ checkpoint: 'a' }).answer).toMatchObject({ kind: 'checkpoint' })
})

test('who finds no room is told which checkpoints take the most', () => {
  const store = new TestStore({ maxDiskBytes: 6 * chunkLength })
  store.save('small', 'd')
  store.save('large', ['e', 'f', 'g'])
  expect(store.openPut({ blob: 'x' }, 3 * chunkLength)).toMatchObject({
    message: expect.stringContaining('large (300 bytes, versions: 1), small (100 bytes') as string,
  })
})
