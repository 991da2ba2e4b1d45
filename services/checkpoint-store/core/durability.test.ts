import fc from 'fast-check'
import { expect, test } from 'vitest'

import { durablePartOf, replay, snapshotOf, TestStore } from './test-store.fixture.js'

const digest = fc.constantFrom('d1', 'd2', 'd3', 'd4', 'd5')
const name = fc.constantFrom('a', 'a/b', 'c')
const requestId = fc.constantFrom('r1', 'r2', 'r3', 'r4', 'r5', 'r6')

/** One thing that callers, the disk or time may do to a store. */
const step: fc.Arbitrary<(store: TestStore) => unknown> = fc.oneof(
  fc.tuple(name, digest, requestId, fc.option(digest, { nil: undefined })).map(
    ([name, digest, requestId, structure]) =>
      (store: TestStore) =>
        store.save(name, digest, { requestId, ...(structure === undefined ? {} : { structure }) }),
  ),
  digest.map((digest) => (store: TestStore) => store.put(digest)),
  fc.tuple(name, requestId).map(
    ([name, requestId]) =>
      (store: TestStore) =>
        store.remove(name, requestId),
  ),
  digest.map((digest) => (store: TestStore) => store.get({ blob: digest })),
  name.map((name) => (store: TestStore) => store.get({ checkpoint: name })),
  digest.map((digest) => (store: TestStore) => store.openPut({ blob: digest }, 50)),
  fc.nat(20).map((nth) => (store: TestStore) => {
    const getId = [...store.state.gets.keys()][nth]
    if (getId !== undefined) store.feed({ kind: 'getClosed', getId })
    const putId = [...store.state.puts.keys()][nth]
    if (putId !== undefined) store.feed({ kind: 'putAborted', putId })
  }),
  digest.map((digest) => (store: TestStore) => store.feed({ kind: 'blobDamaged', digest, health: 'damaged' })),
  fc.integer({ min: 0, max: 5_000_000 }).map((ms) => (store: TestStore) => (store.nowMs += ms)),
  fc.constant((store: TestStore) => store.collect()),
  fc.constant((store: TestStore) => store.restart()),
)

test('whatever happens, the facts amount to the durable part of what was decided, and so does a snapshot', () => {
  const policy = { keepVersions: 2, maxDiskBytes: 700, rememberRequests: 4 }
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
      const store = new TestStore(policy)
      for (const take of steps) {
        take(store)
        const durable = durablePartOf(store.state)
        expect(durablePartOf(replay(store.facts, store.policy))).toEqual(durable)
        expect(durablePartOf(replay(snapshotOf(store.state), store.policy))).toEqual(durable)
      }
    }),
    { numRuns: 300 },
  )
})
