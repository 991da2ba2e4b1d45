import { expect, test } from 'vitest'

import { chunkLength, TestStore } from './test-store.fixture.js'

function here(store: TestStore, digest: string): boolean {
  const { getId, answer } = store.get({ blob: digest })
  store.feed({ kind: 'getClosed', getId })
  return !('code' in (answer as object))
}

test('a blob goes with the last of those whom it is kept for, each counted once', () => {
  const store = new TestStore()
  store.claim('d', 'j1/0')
  expect(store.claim('d', 'j1/1')).toEqual({ kind: 'alreadyStored', version: 0 })
  store.claim('d', 'j1/1')
  store.release('d', 'j1/0')
  store.release('d', 'j1/0')
  store.release('d', 'j9/9')
  expect(store.collect()).toEqual([])
  expect(here(store, 'd')).toBe(true)
  store.release('d', 'j1/1')
  expect(here(store, 'd')).toBe(false)
})

test('its bytes go when nobody reads them any more', () => {
  const store = new TestStore()
  store.claim('d', 'j1/0')
  const { getId } = store.get({ blob: 'd' })
  store.release('d', 'j1/0')
  expect(store.collect()).toEqual([])
  store.feed({ kind: 'getClosed', getId })
  expect(store.collect()).toEqual(['d'])
})

test.each(['before', 'after'])('what is put for its own sake %s that stays', (when) => {
  const store = new TestStore()
  if (when === 'before') store.put('d')
  store.claim('d', 'j1/0')
  if (when === 'after') store.put('d')
  store.release('d', 'j1/0')
  expect(store.collect()).toEqual([])
  expect(here(store, 'd')).toBe(true)
})

test('what is kept for somebody is not promised to others: they put it, which costs no bytes', () => {
  const store = new TestStore()
  store.claim('d', 'j1/0')
  expect(store.ask({ kind: 'blobsSought', digests: ['d'] })).toEqual([])
  expect(store.put('d')).toEqual({ kind: 'alreadyStored', version: 0 })
  expect(store.ask({ kind: 'blobsSought', digests: ['d'] })).toEqual(['d'])
})

test('a restart remembers for whom', () => {
  const store = new TestStore()
  store.claim('d', 'j1/0')
  store.claim('d', 'j1/1')
  store.release('d', 'j1/0')
  store.restart()
  expect(here(store, 'd')).toBe(true)
  store.release('d', 'j1/1')
  expect(store.collect()).toEqual(['d'])
})

test('it does not make room for others, unless nobody has used it for very long', () => {
  const store = new TestStore({ maxDiskBytes: chunkLength })
  store.claim('d', 'j1/0')
  store.nowMs += store.policy.keepResultsForMs - 1
  store.sweep()
  expect(store.put('e')).toMatchObject({ reason: 'DISK_LIMIT_REACHED' })
  store.nowMs += 1
  store.sweep()
  expect(store.put('e')).toBeNull()
  expect(store.collect()).toEqual(['d'])
})
