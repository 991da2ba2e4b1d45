import { mkdtemp, readdir, rm, truncate } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'

import { afterEach, beforeEach, describe, expect, test } from 'vitest'

import { createMemoryJournal, JournalLockedError } from '#libs/journal'

import type { Fact } from '../core/fact.js'
import type { Body, CheckpointVersion } from '../core/state.js'
import { type Catalogue, openLevelCatalogue } from './catalogue.js'
import { factCodec, subjectOf } from './fact-codec.js'

let folder: string
beforeEach(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'costate-catalogue-'))
})
afterEach(() => rm(folder, { recursive: true }))

const digest = 'ab'.repeat(32)
const inline: Body = {
  digest,
  byteLength: 3,
  checksum: '00000000000000ff',
  content: { kind: 'inline', bytes: Uint8Array.of(0, 255, 1) },
}
const chunked: Body = {
  digest,
  byteLength: 2 ** 32,
  checksum: 'f'.repeat(16),
  content: { kind: 'chunks', chunks: [{ digest, byteLength: 2 ** 22, checksum: '0'.repeat(16) }] },
}
const version: CheckpointVersion = {
  version: 7,
  body: chunked,
  structure: inline,
  info: { iteration: 2n ** 63n, cost: 0.1, labels: [['__proto__', 'ünï']] },
  savedAtMs: 1_700_000_000_000,
  writerToken: 12,
}

/** Facts of each kind that adds, and each of their variants. */
const facts: Fact[] = [
  { kind: 'versionSaved', name: 'jobs/j/tasks/1', version },
  ...[NaN, Infinity, -Infinity, -0, 5e-324, 1.7976931348623157e308].map((cost, i): Fact => ({
    kind: 'versionSaved',
    name: 'a',
    version: { ...version, version: i + 1, body: inline, structure: undefined, info: { cost, labels: [] } },
  })),
  { kind: 'leaseTaken', name: 'a', lease: { token: 3, holder: 'somebody', atMs: 1 } },
  { kind: 'tokensReserved', upTo: 1_000 },
  { kind: 'blobKept', atMs: 2, body: chunked },
  { kind: 'requestRemembered', shelf: 1, atMs: 4, requestId: 'r3', answer: { kind: 'saved', name: 'a', version: 1 } },
  {
    kind: 'requestRemembered',
    shelf: 1,
    atMs: 4,
    requestId: 'r4',
    answer: { kind: 'deleted', name: 'a', versions: 2 },
  },
  { kind: 'requestRemembered', shelf: 2, atMs: 4, requestId: 'r5', answer: { kind: 'leased', name: 'a', token: 2 } },
]

/** What ends what the facts above began. */
const ends: Fact[] = [
  { kind: 'versionDropped', name: 'jobs/j/tasks/1', version: 7 },
  ...[1, 2, 3, 4, 5, 6].map((number): Fact => ({ kind: 'versionDropped', name: 'a', version: number })),
  { kind: 'leaseEnded', name: 'a' },
  { kind: 'blobDropped', digest },
  { kind: 'requestsForgotten', shelf: 1 },
]

const implementations = {
  memory: async (): Promise<Catalogue> => createMemoryJournal({ retain: true, subjectOf }),
  level: (): Promise<Catalogue> => openLevelCatalogue(folder, (warning) => expect.fail(warning)),
}

async function replayed(catalogue: Catalogue): Promise<Fact[]> {
  const found: Fact[] = []
  for await (const fact of catalogue.replay()) found.push(fact)
  return found
}

describe.each(Object.entries(implementations))('the %s catalogue', (_, open) => {
  test('gives every fact back as it was, bit for bit', async () => {
    const catalogue = await open()
    await catalogue.append(facts)
    expect(plain(await replayed(catalogue))).toStrictEqual(plain(facts))
    await catalogue.close()
  })

  test('keeps nothing of what has ended', async () => {
    const catalogue = await open()
    await catalogue.append(facts)
    await catalogue.append(ends)
    expect(plain(await replayed(catalogue))).toStrictEqual(plain(facts.filter(remains)))
    await catalogue.close()
  })

  test('tells the last of what is replaced', async () => {
    const catalogue = await open()
    await catalogue.append(facts)
    const newer: Fact = { kind: 'leaseTaken', name: 'a', lease: { token: 9, holder: 'another', atMs: 5 } }
    await catalogue.append([newer])
    expect((await replayed(catalogue)).filter(({ kind }) => kind === 'leaseTaken')).toEqual([newer])
    await catalogue.close()
  })
})

test('what was acknowledged is there after a restart', async () => {
  const catalogue = await implementations.level()
  await catalogue.append(facts)
  await catalogue.close()
  const again = await implementations.level()
  expect(plain(await replayed(again))).toStrictEqual(plain(facts))
  await again.close()
})

test('two stores do not share a catalogue', async () => {
  const catalogue = await implementations.level()
  await expect(implementations.level()).rejects.toThrow(JournalLockedError)
  await catalogue.close()
})

test('a catalogue that lost its end is refused, with what to do', async () => {
  const catalogue = await implementations.level()
  await catalogue.append(facts)
  await catalogue.close()
  const level = path.join(folder, 'catalogue', 'level')
  const log = (await readdir(level)).find((name) => name.endsWith('.log')) ?? ''
  await truncate(path.join(level, log), 40)
  await expect(implementations.level()).rejects.toThrow(/restore the folder from a copy/)
})

test('a fact of a newer version is not passed over', async () => {
  const newer = Buffer.from(JSON.stringify({ kind: 'chunkMoved' }))
  expect(() => factCodec.decode(newer)).toThrow("a fact 'chunkMoved', which this version does not know: upgrade")
})

/** Absent and undefined are one in JSON, and a Buffer is bytes. */
function plain(found: readonly Fact[]): unknown {
  return found.map((fact) => {
    if (fact.kind !== 'versionSaved') return fact
    const { structure, ...rest } = fact.version
    return { ...fact, version: { ...rest, ...(structure === undefined ? {} : { structure }) } }
  })
}

function remains(fact: Fact): boolean {
  return fact.kind === 'tokensReserved' || (fact.kind === 'requestRemembered' && fact.shelf === 2)
}
