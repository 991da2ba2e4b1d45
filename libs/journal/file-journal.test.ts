import { appendFile, mkdtemp, open, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'

import { afterEach, beforeEach, expect, test, vi } from 'vitest'

import { type CompactingJournal, JournalCorruptError, openFileJournal } from './index.js'

let folder: string
let file: string
let warnings: string[]

beforeEach(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'costate-journal-'))
  file = path.join(folder, 'facts')
  warnings = []
})
afterEach(async () => {
  vi.restoreAllMocks()
  await rm(folder, { recursive: true })
})

const codec = {
  encode: (fact: string) => Buffer.from(fact),
  decode: (bytes: Uint8Array) => Buffer.from(bytes).toString(),
}

function openJournal(): Promise<CompactingJournal<string>> {
  return openFileJournal({ file, codec, onWarning: (message) => warnings.push(message) })
}

async function reopened(): Promise<string[]> {
  const journal = await openJournal()
  const facts: string[] = []
  for await (const fact of journal.replay()) facts.push(fact)
  await journal.close()
  return facts
}

/** A journal of three flushes. */
async function writeThree(): Promise<void> {
  const journal = await openJournal()
  await journal.append(['a1', 'a2'])
  await journal.append(['b'])
  await journal.append(['c1', 'c2', 'c3'])
  await journal.close()
}

test('facts are there after a restart, and more can be appended', async () => {
  await writeThree()
  const journal = await openJournal()
  expect(journal.factCount).toBe(6)
  await journal.append(['d'])
  await journal.close()
  expect(await reopened()).toEqual(['a1', 'a2', 'b', 'c1', 'c2', 'c3', 'd'])
  expect(warnings).toEqual([])
})

test('wherever the last flush is torn, all of it is cut off and nothing before it', async () => {
  await writeThree()
  const whole = await readFile(file)
  const lastStart = whole.lastIndexOf('JRN1')
  for (let length = lastStart + 1; length < whole.byteLength; length++) {
    await writeFile(file, whole.subarray(0, length))
    expect(await reopened()).toEqual(['a1', 'a2', 'b'])
    expect(warnings.splice(0).join()).toContain(`cut off ${length - lastStart} bytes behind byte ${lastStart}`)
    expect(await reopened()).toEqual(['a1', 'a2', 'b'])
    expect(warnings).toEqual([])
  }
})

test('a tail of zeros, as a file system leaves after a power cut, is cut off', async () => {
  await writeThree()
  await appendFile(file, Buffer.alloc(5000))
  expect(await reopened()).toHaveLength(6)
  expect(warnings).toHaveLength(1)
})

test('a flipped bit in front of whole records is reported, not cut off', async () => {
  await writeThree()
  const whole = await readFile(file)
  const firstStart = whole.indexOf('JRN1')
  const secondStart = whole.indexOf('JRN1', firstStart + 1)
  for (let at = firstStart; at < secondStart; at++) {
    const damaged = Buffer.from(whole)
    damaged[at]! ^= 0x10
    await writeFile(file, damaged)
    await expect(openJournal()).rejects.toThrow(JournalCorruptError)
    expect(await readFile(file)).toEqual(damaged)
  }
  await expect(openJournal()).rejects.toThrow(`the record at byte ${firstStart} is damaged`)
})

test('damage is found across more than a window of garbage', async () => {
  await writeThree()
  const whole = await readFile(file)
  const lastStart = whole.lastIndexOf('JRN1')
  const garbage = Buffer.alloc(2 ** 20 - 2, 'J')
  await writeFile(file, Buffer.concat([whole.subarray(0, lastStart), garbage, whole.subarray(lastStart)]))
  await expect(openJournal()).rejects.toThrow(`whole ones behind it (at byte ${lastStart + garbage.byteLength})`)
})

test('a file that is no journal is left alone', async () => {
  await writeFile(file, 'precious')
  await expect(openJournal()).rejects.toThrow('is no journal of this version')
  expect(await readFile(file, 'utf8')).toBe('precious')
})

test('a crash while compacting leaves the old facts or the new ones', async () => {
  await writeThree()
  await writeFile(`${file}.new`, 'half a snap')
  expect(await reopened()).toHaveLength(6)
  expect(await readdir(folder)).toEqual(['facts'])
  const journal = await openJournal()
  await journal.compact(['all'])
  await journal.close()
  expect(await reopened()).toEqual(['all'])
})

test('a compaction that fails leaves the journal as it was', async () => {
  const journal = await openJournal()
  await journal.append(['a'])
  const tooMany = function* (): Generator<string> {
    yield 'b'
    throw new Error('ENOSPC')
  }
  await expect(journal.compact(tooMany())).rejects.toThrow('ENOSPC')
  await journal.append(['c'])
  await journal.close()
  expect(await reopened()).toEqual(['a', 'c'])
  expect(await readdir(folder)).toEqual(['facts'])
})

test('a large snapshot is read back', async () => {
  const journal = await openJournal()
  const facts = Array.from({ length: 4000 }, (_, i) => `${i} ${'x'.repeat(1000)}`)
  await journal.compact(facts)
  await journal.close()
  expect(await reopened()).toEqual(facts)
})

test('after a failed fsync nothing is acknowledged any more', async () => {
  const journal = await openJournal()
  const probe = await open(file, 'r')
  const handles = Object.getPrototypeOf(probe) as typeof probe
  await probe.close()
  const datasync = vi.spyOn(handles, 'datasync').mockRejectedValueOnce(new Error('EIO'))
  const [first, second] = await Promise.allSettled([journal.append(['a']), journal.append(['b'])])
  expect([first.status, second.status]).toEqual(['rejected', 'rejected'])
  await expect(journal.append(['c'])).rejects.toThrow('facts could not be written: EIO')
  expect(datasync).toHaveBeenCalledTimes(1)
  await journal.close()
})

test('appends that come while a flush runs share the next one', async () => {
  const journal = await openJournal()
  const probe = await open(file, 'r')
  const datasync = vi.spyOn(Object.getPrototypeOf(probe) as typeof probe, 'datasync')
  await probe.close()
  const first = journal.append(['0'])
  await Promise.resolve()
  await Promise.all([first, ...Array.from({ length: 200 }, (_, i) => journal.append([String(i)]))])
  expect(datasync.mock.calls.length).toBeLessThanOrEqual(2)
  await journal.close()
})

test('a closed journal takes nothing', async () => {
  const journal = await openJournal()
  await journal.close()
  await expect(journal.append(['a'])).rejects.toThrow('is closed')
})
