import fc from 'fast-check'
import { expect, test } from 'vitest'

import { durablePartOf, replay, TestStore } from './test-store.fixture.js'

const digest = fc.constantFrom('d1', 'd2', 'd3', 'd4', 'd5')
const name = fc.constantFrom('a', 'a/b', 'c')
const requestId = fc.constantFrom('r1', 'r2', 'r3', 'r4', 'r5', 'r6')

/** One thing that callers, the disk or time may do to a store. */
const step: fc.Arbitrary<(store: TestStore) => unknown> = fc.oneof(
  fc.tuple(name, digest, requestId, fc.option(digest, { nil: undefined })).map(
    ([name, digest, requestId, structure]) =>
      (store: TestStore) =>
        store.save(name, [digest, 'd1'], { requestId, ...(structure === undefined ? {} : { structure }) }),
  ),
  fc.tuple(name, requestId, fc.nat(3)).map(
    ([name, requestId, nth]) =>
      (store: TestStore) =>
        store.saveSmall(name, 'small', { requestId, writerToken: Math.max(0, store.state.lastToken - nth) }),
  ),
  fc.tuple(name, fc.nat(3)).map(
    ([name, nth]) =>
      (store: TestStore) =>
        store.save(name, 'd2', { writerToken: Math.max(0, store.state.lastToken - nth) }),
  ),
  name.map((name) => (store: TestStore) => store.lease(name, 'somebody')),
  name.map((name) => (store: TestStore) => store.prune({ prefix: name })),
  fc.constant((store: TestStore) => store.sweep()),
  fc.tuple(digest, fc.nat(20)).map(([digest, nth]) => (store: TestStore) => {
    const putId = [...store.state.puts.keys()][nth]
    if (putId !== undefined) store.seekChunk(putId, digest)
  }),
  digest.map((digest) => (store: TestStore) => store.put(digest)),
  fc.tuple(digest, name).map(
    ([digest, claimant]) =>
      (store: TestStore) =>
        store.claim(digest, claimant),
  ),
  fc.tuple(digest, name).map(
    ([digest, claimant]) =>
      (store: TestStore) =>
        store.release(digest, claimant),
  ),
  fc.tuple(name, requestId).map(
    ([name, requestId]) =>
      (store: TestStore) =>
        store.remove(name, requestId),
  ),
  digest.map((digest) => (store: TestStore) => store.get({ blob: digest })),
  name.map((name) => (store: TestStore) => store.get({ checkpoint: name })),
  digest.map((digest) => (store: TestStore) => store.openPut({ blob: digest }, 50)),
  fc.nat(20).map((nth) => (store: TestStore) => {
    const owner = [...store.state.pins.keys()][nth]
    if (owner?.startsWith('get')) store.feed({ kind: 'getClosed', getId: Number(owner.slice(4)) })
    const putId = [...store.state.puts.keys()][nth]
    if (putId !== undefined) store.feed({ kind: 'putAborted', putId, orphans: [] })
  }),
  digest.map((digest) => (store: TestStore) => store.feed({ kind: 'chunkExamined', digest, health: 'damaged' })),
  fc.integer({ min: 0, max: 90_000_000 }).map((ms) => (store: TestStore) => (store.nowMs += ms)),
  fc.constant((store: TestStore) => store.collect()),
  fc.constant((store: TestStore) => store.restart()),
)

test('whatever happens, the facts amount to the durable part of what was decided', () => {
  const policy = { keepVersions: 2, maxDiskBytes: 700, keepResultsForMs: 120_000_000, rememberRequests: 4 }
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
      const store = new TestStore(policy)
      for (const take of steps) {
        take(store)
        const durable = durablePartOf(store.state)
        expect(durablePartOf(replay(store.facts, store.policy))).toEqual(durable)
      }
    }),
    { numRuns: 300 },
  )
})
