import { appendFile, mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'

import { afterEach, beforeEach, expect, test } from 'vitest'

import type { Fact } from '../core/fact.js'
import type { CheckpointVersion } from '../core/state.js'
import { openFileCatalogue } from './catalogue.js'

let folder: string
beforeEach(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'costate-catalogue-'))
})
afterEach(() => rm(folder, { recursive: true }))

const version: CheckpointVersion = {
  version: 7,
  digest: 'ab'.repeat(32),
  byteLength: 2 ** 32,
  structure: { kind: 'inline', bytes: Buffer.from([0, 255, 1]) },
  info: { iteration: 2n ** 63n, cost: 0.1, labels: [['__proto__', 'ünï']] },
  savedAtMs: 1_700_000_000_000,
}

/** One fact of each kind, and each of their variants. */
const facts: Fact[] = [
  { kind: 'checkpointSaved', requestId: 'r', name: 'jobs/j/tasks/1', version },
  ...[NaN, Infinity, -Infinity, -0, 5e-324, 1.7976931348623157e308].map((cost): Fact => ({
    kind: 'checkpointSaved',
    requestId: '',
    name: 'a',
    version: { ...version, structure: { kind: 'none' }, info: { cost, labels: [] } },
  })),
  {
    kind: 'checkpointSaved',
    requestId: '',
    name: 'a',
    version: { ...version, structure: { kind: 'blob', digest: 'd', byteLength: 9 }, info: { labels: [] } },
  },
  { kind: 'versionDropped', name: 'a', version: 1 },
  { kind: 'checkpointDeleted', atMs: 1, requestId: 'r2', name: 'a' },
  { kind: 'blobKept', atMs: 2, digest: 'd', byteLength: 3 },
  { kind: 'blobUsed', atMs: 3, digest: 'd' },
  { kind: 'blobDropped', digest: 'd' },
  { kind: 'requestRemembered', atMs: 4, requestId: 'r3', answer: { kind: 'saved', name: 'a', version: 1 } },
  { kind: 'requestRemembered', atMs: 4, requestId: 'r4', answer: { kind: 'deleted', name: 'a', versions: 2 } },
]

async function replayed(warnings: string[] = []): Promise<Fact[]> {
  const catalogue = await openFileCatalogue(folder, (warning) => warnings.push(warning))
  const found: Fact[] = []
  for await (const fact of catalogue.replay()) found.push(fact)
  await catalogue.close()
  return found
}

test('every fact comes back as it was, bit for bit', async () => {
  const catalogue = await openFileCatalogue(folder, (warning) => expect.fail(warning))
  await catalogue.append(facts)
  await catalogue.close()
  expect(await replayed()).toStrictEqual(facts)
})

test('a torn tail is cut off with a warning', async () => {
  const catalogue = await openFileCatalogue(folder, (warning) => expect.fail(warning))
  await catalogue.append(facts.slice(0, 1))
  await catalogue.close()
  const whole = await readFile(path.join(folder, 'catalogue'))
  await appendFile(path.join(folder, 'catalogue'), whole.subarray(whole.indexOf('JRN1'), -1))
  const warnings: string[] = []
  expect(await replayed(warnings)).toHaveLength(1)
  expect(warnings.join()).toContain('cut off')
})

test('a fact of a newer version is not passed over', async () => {
  const catalogue = await openFileCatalogue(folder, (warning) => expect.fail(warning))
  await catalogue.append([{ kind: 'leaseTaken' } as unknown as Fact])
  await catalogue.close()
  await expect(replayed()).rejects.toThrow("a fact 'leaseTaken', which this version does not know: upgrade")
})
