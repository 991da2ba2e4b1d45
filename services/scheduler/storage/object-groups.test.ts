import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'

import fc from 'fast-check'
import { expect, onTestFinished, test } from 'vitest'

import type { ObjectId, SessionId } from '#libs/domain'
import { createMemoryJournal, type Journal, openLevelJournal } from '#libs/journal'

import { apply } from '../core/apply.js'
import type { Fact, FactOf } from '../core/fact.js'
import { defaultPolicy } from '../core/policy.js'
import { createState, type State } from '../core/state.js'
import { journaledFactCodec } from './fact-codec.js'
import { groupObjects, type JournaledFact } from './object-groups.js'

const session = 's-1' as SessionId

function stored(id: number | string, version = 1): FactOf<'objectStored'> {
  const descriptor = Uint8Array.of(version, 2, 3)
  return { kind: 'objectStored', objectId: `o-${id}` as ObjectId, sessionId: session, descriptor, byteLength: 1_024 }
}

function about(kind: 'objectReleased' | 'objectForgotten' | 'archiveLost', id: number): Fact {
  return { kind, objectId: `o-${id}` as ObjectId }
}

const archived = (id: number): Fact => ({
  kind: 'objectArchived',
  objectId: `o-${id}` as ObjectId,
  blobDigest: `digest of ${id}`,
})

/** A journal as LevelDB keeps it, subject by subject, without a disk. */
function subjectJournal(): Journal<JournaledFact> {
  const journal = createMemoryJournal<JournaledFact>({
    retain: true,
    subjectOf: (fact) => journaledFactCodec.subjectOf(fact),
  })
  return {
    ...journal,
    replay: async function* () {
      for await (const fact of journal.replay()) yield journaledFactCodec.decode(journaledFactCodec.encode(fact))
    },
  }
}

async function rebuilt(journal: Journal<Fact>): Promise<unknown> {
  const state = createState(defaultPolicy)
  for await (const fact of journal.replay()) apply(state, fact)
  return objectsOf(state)
}

/** Between objects there is no order. */
function objectsOf({ objects }: State): unknown {
  const rows = [...objects.values()].map(({ objectId, sessionId, descriptor, byteLength, archive, released }) => ({
    ...{ objectId, sessionId, descriptor: [...descriptor], byteLength, archive, released },
  }))
  return rows.sort((a, b) => (a.objectId < b.objectId ? -1 : 1))
}

async function writtenIn(journal: Journal<JournaledFact>): Promise<JournaledFact[]> {
  const facts: JournaledFact[] = []
  for await (const fact of journal.replay()) facts.push(fact)
  return facts
}

test('objects that are stored together are one fact, and their end is another', async () => {
  const journal = subjectJournal()
  const grouped = groupObjects(journal)
  await grouped.append(Array.from({ length: 500 }, (_, id) => stored(id)))
  expect(await writtenIn(journal)).toHaveLength(1)
  const ids = Array.from({ length: 500 }, (_, id) => id)
  await grouped.append([
    ...ids.map((id) => about('objectReleased', id)),
    ...ids.map((id) => about('objectForgotten', id)),
  ])
  expect(await writtenIn(journal)).toEqual([])
})

test('one by itself is written as ever', async () => {
  const journal = subjectJournal()
  const grouped = groupObjects(journal)
  const long = stored('x'.repeat(300))
  await grouped.append([stored(1)])
  await grouped.append([long, { kind: 'epochRaised', epoch: 2 }, stored(2)])
  expect(await writtenIn(journal)).toEqual([stored(1), long, { kind: 'epochRaised', epoch: 2 }, stored(2)])
})

test('what is left of a group is written anew when half of it is forgotten', async () => {
  const journal = subjectJournal()
  const grouped = groupObjects(journal)
  await grouped.append(Array.from({ length: 64 }, (_, id) => stored(id)))
  for (let id = 0; id < 63; id++) await grouped.append([about('objectForgotten', id)])
  expect(await writtenIn(journal)).toEqual([{ kind: 'groupStored', group: 1, objects: [stored(63)] }])
})

test('a group is read as it was written, whosever its objects are', () => {
  const own = (id: number, sessionId: SessionId | undefined) => ({ ...stored(id), sessionId })
  for (const objects of [
    [stored(1), stored(2)],
    [own(1, undefined), own(2, undefined)],
    [own(1, undefined), stored(2), own(3, 's-2' as SessionId)],
  ]) {
    const fact: JournaledFact = { kind: 'groupStored', group: 7, objects }
    expect(journaledFactCodec.decode(journaledFactCodec.encode(fact))).toEqual(fact)
  }
})

const sessions = [session, session, session, session, session, 's-2' as SessionId, undefined]

interface Known {
  readonly version: number
}

const operations = fc.array(
  fc.record({
    restart: fc.boolean(),
    // Each number is an object, and what happens to it where that makes sense.
    steps: fc.array(fc.tuple(fc.nat({ max: 11 }), fc.nat({ max: 5 })), { maxLength: 24 }),
  }),
  { maxLength: 30 },
)

test('whatever happens to objects and however often the scheduler starts again: replayed is what was appended', async () => {
  await fc.assert(
    fc.asyncProperty(operations, async (appends) => {
      const journal = subjectJournal()
      let grouped = groupObjects(journal)
      const state = createState(defaultPolicy)
      const known = new Map<number, Known>()
      let version = 0
      for (const { restart, steps } of appends) {
        const facts: Fact[] = []
        for (const [id, what] of steps) {
          if (!known.has(id)) {
            known.set(id, { version: ++version % 256 })
            // Some groups are of one session, others are not.
            facts.push({ ...stored(id, version % 256), sessionId: sessions[id % sessions.length] })
          } else if (what === 0) facts.push(archived(id))
          else if (what === 1) facts.push(about('archiveLost', id))
          else if (what === 2) facts.push(about('objectReleased', id))
          else {
            known.delete(id)
            facts.push(about('objectReleased', id), about('objectForgotten', id))
          }
        }
        for (const fact of facts) apply(state, fact)
        await grouped.append(facts)
        if (!restart) continue
        grouped = groupObjects(journal)
        expect(await rebuilt(grouped)).toEqual(objectsOf(state))
      }
      grouped = groupObjects(journal)
      expect(await rebuilt(grouped)).toEqual(objectsOf(state))
      await grouped.append([...known.keys()].map((id) => about('objectForgotten', id)))
      expect(await writtenIn(journal)).toEqual([])
    }),
    { numRuns: 300 },
  )
})

test('groups are there after a restart from the disk, and go from it', async () => {
  const folder = await mkdtemp(path.join(tmpdir(), 'costate-groups-'))
  onTestFinished(() => rm(folder, { recursive: true, force: true }))
  const open = () => openLevelJournal({ folder, codec: journaledFactCodec, onWarning: () => undefined })
  const start = async (): Promise<{ grouped: Journal<Fact>; objects: unknown }> => {
    const grouped = groupObjects(await open())
    return { grouped, objects: await rebuilt(grouped) }
  }
  const state = createState(defaultPolicy)
  const first = await start()
  const ids = Array.from({ length: 3_000 }, (_, id) => id)
  const appends = [
    ids.map((id) => stored(id)),
    [archived(7), about('objectReleased', 9)],
    ids.slice(10, 2_000).flatMap((id) => [about('objectReleased', id), about('objectForgotten', id)]),
  ]
  for (const facts of appends) {
    for (const fact of facts) apply(state, fact)
    await first.grouped.append(facts)
  }
  await first.grouped.close()
  const second = await start()
  expect(second.objects).toEqual(objectsOf(state))
  await second.grouped.append([...state.objects.keys()].map((objectId) => ({ kind: 'objectForgotten', objectId })))
  await second.grouped.close()
  const journal = await open()
  expect(await writtenIn(journal)).toEqual([])
  await journal.close()
})
