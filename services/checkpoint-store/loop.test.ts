import { expect, test } from 'vitest'

import { createMemoryJournal } from '#libs/journal'

import type { Effect } from './core/effect.js'
import type { Fact } from './core/fact.js'
import { type Body, createState, defaultPolicy, type Policy } from './core/state.js'
import { startLoop } from './loop.js'
import type { Catalogue } from './storage/catalogue.js'
import { subjectOf } from './storage/fact-codec.js'

const digest = 'ab'.repeat(32)

/** A catalogue whose flushes end when they are told to. */
function createSlowCatalogue(): {
  catalogue: Catalogue
  flushes: Fact[][]
  release: () => void
  fail: (error: Error) => void
} {
  const flushes: Fact[][] = []
  const waiting: { resolve: () => void; reject: (error: Error) => void }[] = []
  const catalogue: Catalogue = {
    ...createMemoryJournal<Fact>(),
    append: async (facts) => {
      flushes.push([...facts])
      await new Promise<void>((resolve, reject) => waiting.push({ resolve, reject }))
    },
  }
  return {
    catalogue,
    flushes,
    release: () => waiting.shift()?.resolve(),
    fail: (error) => waiting.shift()?.reject(error),
  }
}

interface Circumstances {
  readonly policy?: Partial<Policy>
  readonly onFatal?: (error: unknown) => void
}

async function start(catalogue: Catalogue, { policy, onFatal }: Circumstances = {}) {
  const effects: Effect[] = []
  const loop = await startLoop({
    state: createState({ ...defaultPolicy, keepVersions: 1, ...policy }),
    catalogue,
    clock: { nowMs: () => 1_000 },
    perform: (batch) => effects.push(...batch.filter(({ kind }) => kind === 'collectChunk')),
    onFatal: onFatal ?? ((error) => expect.fail(String(error))),
  })
  const save = (name: string, body = digest) =>
    loop.ask({
      kind: 'checkpointStored',
      putId: 0,
      target: { name, requestId: `${name} ${body}`, writerToken: 0, etag: '' },
      body: bodyOf(body),
      structure: undefined,
      info: { labels: [] },
    })
  return { loop, save, effects }
}

function bodyOf(digest: string): Body {
  const chunks = [{ digest, byteLength: 1, checksum: '' }]
  return { digest, byteLength: 1, checksum: '', content: { kind: 'chunks', chunks } }
}

async function turn(): Promise<void> {
  for (let i = 0; i < 5; i++) await new Promise((resolve) => setImmediate(resolve))
}

test('nothing is answered or done before what it rests on is remembered; what comes meanwhile shares the next flush', async () => {
  const { catalogue, flushes, release } = createSlowCatalogue()
  const { loop, save, effects } = await start(catalogue)
  const answered: string[] = []
  const first = save('a').then(() => answered.push('first'))
  await turn()
  const more = ['b', 'c'].map((name) => save(name).then(() => answered.push(name)))
  const replaced = save('a', 'cd'.repeat(32))
  const read = loop.ask({ kind: 'checkpointSought', name: 'a', version: 0 }).then((answer) => {
    answered.push('read')
    return answer
  })
  await turn()
  expect(answered).toEqual([])
  expect(flushes).toHaveLength(1)
  release()
  await first
  await turn()
  expect(answered).toEqual(['first'])
  expect(flushes.map((facts) => facts.map(({ kind }) => kind))).toEqual([
    ['versionSaved', 'requestRemembered'],
    [
      ...['versionSaved', 'requestRemembered', 'versionSaved', 'requestRemembered'],
      ...['versionSaved', 'requestRemembered', 'versionDropped'],
    ],
  ])
  expect(effects).toEqual([])
  release()
  await Promise.all([...more, replaced])
  expect(await read).toMatchObject({ value: { version: { version: 2 } } })
  expect(await replaced).toEqual({ value: { version: 2 } })
  await loop.stop()
})

test('a flush that fails ends the process before anything is answered', async () => {
  const { catalogue, fail } = createSlowCatalogue()
  const fatal: unknown[] = []
  const { save } = await start(catalogue, { onFatal: (error) => fatal.push(error) })
  let answered = false
  void save('a').then(() => (answered = true))
  await turn()
  fail(new Error('EIO'))
  await turn()
  expect(fatal).toEqual([new Error('EIO')])
  expect(answered).toBe(false)
})

test('a loop that is told to stop finishes what was asked before, and refuses what is asked after', async () => {
  const { catalogue, flushes, release } = createSlowCatalogue()
  const { loop, save } = await start(catalogue)
  const before = save('a')
  await turn()
  const queued = save('b')
  const stopped = loop.stop()
  const after = save('c')
  release()
  await turn()
  release()
  await stopped
  expect(await Promise.all([before, queued])).toEqual([{ value: { version: 1 } }, { value: { version: 1 } }])
  expect(await after).toMatchObject({ refusal: { code: 'UNAVAILABLE', reason: 'SHUTTING_DOWN' } })
  expect(flushes).toHaveLength(2)
})

test('a restart knows what was answered', async () => {
  const journal = createMemoryJournal<Fact>({ retain: true })
  const before = await start(journal)
  await before.save('a')
  await before.loop.stop()
  const after = await start(journal)
  expect(await after.loop.ask({ kind: 'checkpointSought', name: 'a', version: 0 })).toMatchObject({
    value: { name: 'a', version: { version: 1, body: { digest } } },
  })
  expect(await after.loop.ask({ kind: 'checkpointSought', name: 'b', version: 0 })).toMatchObject({
    refusal: { code: 'NOT_FOUND' },
  })
})

test('the catalogue stays small however often the same names are saved', async () => {
  const journal = createMemoryJournal<Fact>({ retain: true, subjectOf })
  const { save } = await start(journal, { policy: { rememberRequests: 10 } })
  const saves = 2_000
  for (let i = 0; i < saves; i++) {
    const saving = save(`n${i % 5}`, i.toString(16).padStart(64, '0'))
    if (i % 500 === 499) await saving
  }
  let facts = 0
  for await (const _ of journal.replay()) facts++
  expect(facts).toBeLessThan(20)
  const after = await start(journal)
  expect(after.loop.state.checkpoints.get('n4')?.versions.map(({ version }) => version)).toEqual([saves / 5])
})

test('who watches hears of facts once they are remembered, until it stops', async () => {
  const { catalogue, release } = createSlowCatalogue()
  const { loop, save } = await start(catalogue)
  const heard: string[] = []
  const stop = loop.watch((facts) => heard.push(...facts.map(({ kind }) => kind)))
  const saved = save('a')
  await turn()
  expect(heard).toEqual([])
  release()
  await saved
  expect(heard).toEqual(['versionSaved', 'requestRemembered'])
  stop()
  void save('b')
  await turn()
  release()
  await loop.stop()
  expect(heard).toHaveLength(2)
})

test('leave to send bytes waits for no flush; what it may answer instead does', async () => {
  const { catalogue, release } = createSlowCatalogue()
  const { loop, save } = await start(catalogue)
  const saved = save('a')
  await turn()
  const open = (requestId: string) =>
    loop.ask({
      kind: 'putOpened',
      putId: 1,
      target: { kind: 'checkpoint', name: 'a', requestId, writerToken: 0, etag: '' },
      byteLength: 1,
    })
  expect(await open('new')).toEqual({ value: { kind: 'accepted' } })
  let repeated: unknown
  void open(`a ${digest}`).then((answer) => (repeated = answer))
  await turn()
  expect(repeated).toBeUndefined()
  release()
  await saved
  await turn()
  expect(repeated).toEqual({ value: { kind: 'alreadyStored', version: 1 } })
  await loop.stop()
})
