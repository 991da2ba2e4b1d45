import { expect, test } from 'vitest'

import { chunkLength, TestStore } from './test-store.fixture.js'

const hourMs = 3_600_000

test('a version is kept that is among the last, or young, or labelled', () => {
  const store = new TestStore({ keepVersions: 1, keepForMs: hourMs, keepLabels: ['keep', 'milestone'] })
  store.save('a', 'd1')
  store.save('a', 'd2', { labels: { milestone: 'feasible' } })
  store.save('a', 'd3')
  expect(store.versions('a')).toEqual([1, 2, 3])
  store.nowMs += hourMs
  store.sweep()
  expect(store.versions('a')).toEqual([2, 3])
  store.save('a', 'd4')
  expect(store.versions('a')).toEqual([2, 4])
})

test('the checkpoints of tasks go some time after the last save, those with a name of their own stay', () => {
  const store = new TestStore({ keepJobsForMs: hourMs })
  store.save('jobs/j/tasks/0', 'd1')
  store.save('jobs/j/tasks/1', 'd2', { labels: { keep: '' } })
  store.save('studies/s', 'd3')
  store.nowMs += hourMs - 1
  store.sweep()
  expect(store.list().names).toHaveLength(3)
  store.nowMs += 1
  store.sweep()
  expect(store.list().names).toEqual(['jobs/j/tasks/1', 'studies/s'])
  expect(store.collect()).toEqual(['d1'])
})

test('a prune says what it would drop and how much that frees, and then does', () => {
  const store = new TestStore({ keepVersions: 10 })
  store.save('s/a', ['old', 'shared'])
  store.save('s/a', ['shared', 'new'], { labels: { keep: '' } })
  store.save('s/a', ['newest'])
  store.save('s/b', ['only'])
  store.save('t/c', ['x'])
  store.save('t/c', ['y'])
  const wanted = { versions: ['s/a@1'], freedBytes: chunkLength }
  expect(store.prune({ prefix: 's/' }, true)).toEqual(wanted)
  expect(store.versions('s/a')).toEqual([1, 2, 3])
  expect(store.prune({ prefix: 's/' })).toEqual(wanted)
  expect(store.collect()).toEqual(['old'])
  expect(store.versions('s/a')).toEqual([2, 3])
  expect(store.versions('t/c')).toEqual([1, 2])
})

test('a prune that keeps no version takes whole checkpoints, as old as was said', () => {
  const store = new TestStore()
  store.save('a', 'd1', { labels: { study: 'x' } })
  store.nowMs += hourMs
  store.save('b', 'd2', { labels: { study: 'x' } })
  expect(store.prune({ keepVersions: 0, keepForMs: 1, labels: [['study', 'y']] }).versions).toEqual([])
  expect(store.prune({ keepVersions: 0, keepForMs: 1, labels: [['study', 'x']] }).versions).toEqual(['a@1'])
  expect(store.list().names).toEqual(['b'])
})
