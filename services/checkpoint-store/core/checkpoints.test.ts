import { expect, test } from 'vitest'

import { chunkLength, TestStore } from './test-store.fixture.js'

test('versions are numbered from 1, per name, and the newest is what a get without a version finds', () => {
  const store = new TestStore()
  expect(store.save('jobs/a', 'd1')).toEqual({ version: 1 })
  expect(store.save('jobs/a', 'd2')).toEqual({ version: 2 })
  expect(store.save('jobs/b', 'd3')).toEqual({ version: 1 })
  expect(store.get({ checkpoint: 'jobs/a' }).answer).toMatchObject({
    name: 'jobs/a',
    version: { version: 2, body: { digest: 'd2' } },
  })
  expect(store.get({ checkpoint: 'jobs/a', version: 1 }).answer).toMatchObject({
    version: { version: 1, body: { digest: 'd1' } },
  })
})

test('what is not there is said to be not there, and what is', () => {
  const store = new TestStore({ keepVersions: 2 })
  expect(store.get({ checkpoint: 'a' }).answer).toMatchObject({ code: 'NOT_FOUND', reason: 'CHECKPOINT_NOT_FOUND' })
  for (const digest of ['d1', 'd2', 'd3']) store.save('a', digest)
  expect(store.get({ checkpoint: 'a', version: 1 }).answer).toMatchObject({
    code: 'NOT_FOUND',
    reason: 'VERSION_NOT_FOUND',
    message: 'checkpoint a has no version 1: it has 2 to 3, and keeps the last 2',
  })
})

test('only the last versions are kept, and what only the dropped ones needed goes', () => {
  const store = new TestStore({ keepVersions: 2 })
  store.save('a', 'd1', { structure: 's1' })
  store.save('a', 'shared')
  store.save('a', 'd3')
  expect(store.versions('a')).toEqual([2, 3])
  expect(store.collect()).toEqual(['d1', 's1'])
  store.save('b', 'shared')
  store.save('a', 'd4')
  expect(store.collect()).toEqual([])
  expect(store.state.liveBytes).toBe(3 * chunkLength)
})

test('a version that is being read stays on disk until the reader is done', () => {
  const store = new TestStore({ keepVersions: 1 })
  store.save('a', 'd1')
  const { getId } = store.get({ checkpoint: 'a' })
  store.save('a', 'd2')
  expect(store.collect()).toEqual([])
  expect(store.get({ checkpoint: 'a', version: 1 }).answer).toMatchObject({ code: 'NOT_FOUND' })
  store.feed({ kind: 'getClosed', getId })
  expect(store.collect()).toEqual(['d1'])
})

test('garbage that is saved again before its file is deleted stays', () => {
  const store = new TestStore({ keepVersions: 1 })
  store.save('a', 'd1')
  store.save('a', 'd2')
  expect(store.garbage).toEqual(['d1'])
  store.save('b', 'd1')
  expect(store.collect()).toEqual([])
})

test('a duplicate of a save gets the first answer, without sending the body again', () => {
  const store = new TestStore()
  store.save('a', 'd1', { requestId: 'r' })
  store.save('a', 'd2')
  expect(store.openPut({ checkpoint: 'a', requestId: 'r' })).toEqual({ kind: 'alreadyStored', version: 1 })
  expect(store.versions('a')).toEqual([1, 2])
})

test('a duplicate that is sent while the first is under way gets the same version, and leaves nothing behind', () => {
  const store = new TestStore()
  const first = store.openPut({ checkpoint: 'a', requestId: 'r' }) as number
  const second = store.openPut({ checkpoint: 'a', requestId: 'r' }) as number
  expect(store.state.reservedBytes).toBe(2 * chunkLength)
  expect(store.storeCheckpoint(second, 'a', 'd1', { requestId: 'r' })).toEqual({ version: 1 })
  expect(store.storeCheckpoint(first, 'a', 'other', { requestId: 'r' })).toEqual({ version: 1 })
  expect(store.collect()).toEqual(['other'])
  expect(store.state.reservedBytes).toBe(0)
  expect(store.versions('a')).toEqual([1])
})

test('a request id that comes again with something else is refused', () => {
  const store = new TestStore()
  store.save('a', 'd1', { requestId: 'r' })
  const reused = { code: 'INVALID_ARGUMENT', reason: 'REQUEST_ID_REUSED' }
  expect(store.save('b', 'd1', { requestId: 'r' })).toMatchObject(reused)
  expect(store.remove('a', 'r')).toMatchObject(reused)
  const racing = store.openPut({ checkpoint: 'c', requestId: 'r2' }) as number
  store.save('a', 'd2', { requestId: 'r2' })
  expect(store.storeCheckpoint(racing, 'c', 'd3', { requestId: 'r2' })).toMatchObject(reused)
  expect(store.collect()).toEqual(['d3'])
})

test('duplicates are recognised after a restart, and forgotten after a while', () => {
  const store = new TestStore({ rememberMs: 1000, rememberRequests: 2 })
  store.save('a', 'd1', { requestId: 'r1' })
  store.restart()
  expect(store.save('a', 'd1', { requestId: 'r1' })).toEqual({ kind: 'alreadyStored', version: 1 })
  store.nowMs += 1100
  store.save('a', 'd2', { requestId: 'r2' })
  expect([...store.state.requests.keys()]).toEqual(['r2'])
  store.save('a', 'd3', { requestId: 'r3' })
  store.save('a', 'd4', { requestId: 'r4' })
  expect([...store.state.requests.keys()]).toEqual(['r3', 'r4'])
  store.nowMs += 1100
  store.sweep()
  expect(store.state.requests.size).toBe(0)
})

test('a delete takes all versions, a duplicate of it hears the same, and the name starts anew', () => {
  const store = new TestStore()
  store.save('a', 'd1')
  store.save('a', 'd2', { structure: 's2' })
  expect(store.remove('a', 'r')).toEqual({ versions: 2 })
  expect(store.collect()).toEqual(['d1', 'd2', 's2'])
  expect(store.get({ checkpoint: 'a' }).answer).toMatchObject({ code: 'NOT_FOUND' })
  expect(store.save('a', 'd5')).toEqual({ version: 1 })
  expect(store.remove('a', 'r')).toEqual({ versions: 2 })
  expect(store.versions('a')).toEqual([1])
  expect(store.remove('never')).toMatchObject({ code: 'NOT_FOUND', reason: 'CHECKPOINT_NOT_FOUND' })
})

test('names are listed in order, by prefix, page by page, also while they come and go', () => {
  const store = new TestStore()
  for (const name of ['b/2', 'a/10', 'a/9', 'b', 'a', 'b/1']) store.save(name, 'd')
  expect(store.list()).toEqual({ names: ['a', 'a/10', 'a/9', 'b', 'b/1', 'b/2'], more: false })
  expect(store.list('a/')).toEqual({ names: ['a/10', 'a/9'], more: false })
  expect(store.list('c')).toEqual({ names: [], more: false })
  expect(store.list('', '', 2)).toEqual({ names: ['a', 'a/10'], more: true })
  store.remove('a/10')
  store.save('a/11', 'd')
  expect(store.list('', 'a/10', 2)).toEqual({ names: ['a/11', 'a/9'], more: true })
  expect(store.list('b', 'a/9', 3)).toEqual({ names: ['b', 'b/1', 'b/2'], more: false })
  expect(store.list('b', 'b/2')).toEqual({ names: [], more: false })
})

test('a save that expects a version is refused when another came first', () => {
  const store = new TestStore()
  expect(store.save('a', 'd1', { etag: '0' })).toEqual({ version: 1 })
  const mismatch = { code: 'ABORTED', reason: 'ETAG_MISMATCH' }
  expect(store.save('a', 'd2', { etag: '0' })).toMatchObject(mismatch)
  expect(store.save('a', 'd2', { etag: '1-d1' })).toEqual({ version: 2 })
  const racing = store.openPut({ checkpoint: 'a', requestId: 'r', etag: '2-d2' }) as number
  store.save('a', 'd3', { etag: '2-d2' })
  expect(store.storeCheckpoint(racing, 'a', 'late', { requestId: 'r', etag: '2-d2' })).toMatchObject(mismatch)
  expect(store.collect()).toEqual(['late'])
  expect(store.remove('a', 'r2', { etag: '2-d2' })).toMatchObject(mismatch)
  expect(store.remove('a', 'r3', { version: 2, etag: '2-d2' })).toEqual({ versions: 1 })
  expect(store.versions('a')).toEqual([1, 3])
})

test('all versions are listed that have a label, page by page', () => {
  const store = new TestStore({ keepVersions: 3 })
  for (const name of ['a', 'b', 'c']) {
    store.save(name, 'd1', { labels: { solver: 'ipm' } })
    store.save(name, 'd2')
    store.save(name, 'd3', { labels: { solver: 'ipm', phase: '2' } })
  }
  expect(store.listVersions({}, 2)).toHaveLength(9)
  expect(store.listVersions({ solver: 'ipm' }, 2)).toEqual(['a@1', 'a@3', 'b@1', 'b@3', 'c@1', 'c@3'])
  expect(store.listVersions({ phase: '2' }, 1)).toEqual(['a@3', 'b@3', 'c@3'])
  expect(store.listVersions({ phase: '3' }, 1)).toEqual([])
})

test('a small checkpoint is saved in one step, under the same rules as every other', () => {
  const store = new TestStore({ keepVersions: 2, maxDiskBytes: 2 * chunkLength })
  const writerToken = store.tokenFor('a', 'attempt 1')
  expect(store.saveSmall('a', 'one', { requestId: 'r1', writerToken })).toEqual({ version: 1 })
  expect(store.saveSmall('a', 'one', { requestId: 'r1', writerToken })).toEqual({ version: 1 })
  expect(store.saveSmall('b', 'one', { requestId: 'r1' })).toMatchObject({ reason: 'REQUEST_ID_REUSED' })
  expect(store.saveSmall('a', 'two', { etag: '7-x' })).toMatchObject({ reason: 'ETAG_MISMATCH' })
  store.tokenFor('a', 'attempt 2')
  expect(store.saveSmall('a', 'zombie', { writerToken })).toMatchObject({ code: 'ABORTED', reason: 'STALE_LEASE' })
  expect([store.saveSmall('a', 'two'), store.saveSmall('a', 'three')]).toEqual([{ version: 2 }, { version: 3 }])
  store.restart()
  expect(store.versions('a')).toEqual([2, 3])
  expect(store.saveSmall('a', 'one', { requestId: 'r1', writerToken })).toEqual({ version: 1 })
  store.save('large', ['d1', 'd2'])
  expect(store.saveSmall('b', 'no room')).toMatchObject({ code: 'RESOURCE_EXHAUSTED' })
})
