import { randomBytes } from 'node:crypto'
import { cp, mkdtemp, readdir, readFile, rename, rm, stat, truncate, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'

import { ClassicLevel } from 'classic-level'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'

import {
  type Journal,
  JournalCorruptError,
  JournalLockedError,
  JournalRefusedError,
  openLevelJournal,
} from './index.js'
import type { SubjectCodec } from './journal.js'
import { textCodec } from './subject.fixture.js'

let folder: string
let warnings: string[]
const opened: Journal<string>[] = []

beforeEach(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'costate-journal-'))
  warnings = []
})
afterEach(async () => {
  for (const journal of opened.splice(0)) await journal.close().catch(() => undefined)
  await rm(folder, { recursive: true })
})

async function open(codec: SubjectCodec<string> = textCodec): Promise<Journal<string>> {
  const journal = await openLevelJournal({ folder, codec, onWarning: (message) => warnings.push(message) })
  opened.push(journal)
  return journal
}

async function reopened(): Promise<string[]> {
  const journal = await open()
  const facts: string[] = []
  for await (const fact of journal.replay()) facts.push(fact)
  await journal.close()
  return facts
}

/** Every key and value of the store, while no journal has it open. */
async function withStore<T>(use: (store: ClassicLevel<Buffer, Buffer>) => Promise<T>): Promise<T> {
  const store = new ClassicLevel<Buffer, Buffer>(path.join(folder, 'level'), {
    keyEncoding: 'buffer',
    valueEncoding: 'buffer',
  })
  await store.open()
  try {
    return await use(store)
  } finally {
    await store.close()
  }
}

async function write(...flushes: string[][]): Promise<void> {
  const journal = await open()
  for (const facts of flushes) await journal.append(facts)
  await journal.close()
}

test('facts are there after a restart, by subject, and more can be appended', async () => {
  await write(['a: 1', 'b: 1'], ['a: 2'], ['c: 1', 'b: 2'])
  expect(await reopened()).toEqual(['a: 1', 'a: 2', 'b: 1', 'b: 2', 'c: 1'])
  await write(['b: 3', 'd: 1'])
  expect(await reopened()).toEqual(['a: 1', 'a: 2', 'b: 1', 'b: 2', 'b: 3', 'c: 1', 'd: 1'])
  expect(warnings).toEqual([])
})

test('what is ended or replaced takes no room', async () => {
  await write(['a: 1'], ['a: 2', 'b: 1'], ['a= 3'], ['b!'], ['b: 2'], ['x: 1', 'x!'])
  expect(await reopened()).toEqual(['a= 3', 'b: 2'])
  const keys = await withStore((store) => store.keys().all())
  // The head and a record each.
  expect(keys).toHaveLength(3)
})

test('what a flush ends goes with it, and needs no record', async () => {
  const journal = await open()
  await journal.append(['a: 1', 'b: 1'])
  await journal.append(['a: 2'])
  await journal.append(['a!', 'b= 2', 'c: 1'])
  await journal.close()
  // Before anything opens it again: the head, b and c.
  expect(await withStore((store) => store.keys().all())).toHaveLength(3)
  expect(await reopened()).toEqual(['b= 2', 'c: 1'])
})

test('an end does not overtake the deletes of what was before it, wherever the process ends', async () => {
  const journal = await open()
  for (let i = 1; i <= 100; i++) await journal.append([`a: ${i}`])
  let goOn: () => void = () => undefined
  const held = new Promise<void>((resolve) => (goOn = resolve))
  vi.spyOn(ClassicLevel.prototype, 'clear').mockImplementation(() => held)
  // A long flush has what it replaces deleted behind it.
  await journal.append(['a= 101', `b: ${'x'.repeat(2 ** 20)}`])
  await journal.append(['a!'])
  // As a crash would leave it.
  const copy = `${folder}-copy`
  await cp(folder, copy, { recursive: true })
  goOn()
  await journal.close()
  vi.restoreAllMocks()
  await rm(folder, { recursive: true })
  await rename(copy, folder)
  expect(await reopened()).toEqual([`b: ${'x'.repeat(2 ** 20)}`])
})

test('a hundred rounds of history leave the disk as one did', async () => {
  const journal = await open()
  const usedBytes = async (): Promise<number> => {
    const files = await readdir(path.join(folder, 'level'))
    const sizes = await Promise.all(files.map(async (file) => (await stat(path.join(folder, 'level', file))).size))
    return sizes.reduce((sum, size) => sum + size, 0)
  }
  for (let round = 0; round < 100; round++) {
    // It does not compress.
    const noise = randomBytes(400_000).toString('base64')
    await journal.append([`job ${round}: ${noise}`])
    await journal.append([`job ${round}!`])
  }
  await journal.close()
  expect(await reopened()).toEqual([])
  expect(await usedBytes()).toBeLessThan(24_000_000)
})

test('any flipped bit of a record or the head is found', async () => {
  await write(['a: 1', 'b: 1'], ['a: 2'])
  const entries = await withStore((store) => store.iterator().all())
  for (const [key, value] of entries) {
    for (let at = 0; at < value.byteLength; at += 3) {
      const damaged = Buffer.from(value)
      damaged[at]! ^= 0x04
      await withStore((store) => store.put(key, damaged))
      await expect(open()).rejects.toThrow(JournalCorruptError)
    }
    await withStore((store) => store.put(key, value))
  }
  expect(await reopened()).toHaveLength(3)
}, 60_000)

test('a missing record is found, wherever it was', async () => {
  await write(['a: 1', 'b: 1'], ['a: 2'], ['a: 3'])
  const entries = await withStore((store) => store.iterator().all())
  for (const [key, value] of entries) {
    await withStore((store) => store.del(key))
    await expect(open()).rejects.toThrow(/facts that had been acknowledged are lost.*Check the disk/)
    await withStore((store) => store.put(key, value))
  }
  expect(await reopened()).toHaveLength(4)
})

test('a log that was cut, or whose bits flipped, is refused: never a state from before what was acknowledged', async () => {
  await write(['a: 1'], ['a: 2'], ['b: 1', 'a: 3'])
  // A crash leaves the log as it is; a clean start would move it into a table.
  const level = path.join(folder, 'level')
  const log = path.join(level, (await readdir(level)).find((file) => file.endsWith('.log')) ?? '')
  const whole = await readFile(log)
  const copy = `${folder}-copy`
  await cp(folder, copy, { recursive: true })
  const restore = async (): Promise<void> => {
    await rm(folder, { recursive: true })
    await cp(copy, folder, { recursive: true })
  }
  expect(whole.byteLength).toBeGreaterThan(100)
  for (let at = 0; at < whole.byteLength; at += 7) {
    await truncate(log, at)
    await expect(open()).rejects.toThrow(JournalCorruptError)
    await restore()
    const damaged = Buffer.from(whole)
    damaged[at]! ^= 0x10
    await writeFile(log, damaged)
    await expect(open()).rejects.toThrow(JournalCorruptError)
    await restore()
  }
  expect(await reopened()).toHaveLength(4)
  await rm(copy, { recursive: true })
}, 60_000)

test('a table that was cut is refused with its name', async () => {
  await write(['a: 1', 'b: 1'])
  await reopened()
  const level = path.join(folder, 'level')
  const table = (await readdir(level)).find((file) => file.endsWith('.ldb')) ?? ''
  await truncate(path.join(level, table), 100)
  await expect(open()).rejects.toThrow(JournalCorruptError)
  await rm(path.join(level, table))
  await expect(open()).rejects.toThrow(table)
})

test('a flush that was interrupted between two of its batches is dropped as a whole', async () => {
  await write(['a: 1'])
  const before = await withStore((store) => store.get(Buffer.from('h')))
  await write(['a= 2', 'b: 1'])
  // As if the process had ended before the batch with the head.
  await withStore((store) => store.put(Buffer.from('h'), before ?? Buffer.alloc(0)))
  await rm(path.join(folder, 'acknowledged'))
  const first = await withStore((store) => store.iterator().all())
  expect(first.length).toBeGreaterThan(1)
  await expect(open()).rejects.toThrow('it has 0 records in the place of 1')
})

test('a large fact is written in parts, between which other things happen', async () => {
  const parts = 40
  const codec: SubjectCodec<string> = {
    ...textCodec,
    split: function* (fact) {
      if (fact !== 'big:') yield fact
      else for (let part = 0; part < parts; part++) yield `big: ${part} ${'x'.repeat(200_000)}`
    },
  }
  const journal = await open(codec)
  let turns = 0
  let isWriting = true
  const turn = (): void => {
    turns++
    if (isWriting) setImmediate(turn)
  }
  setImmediate(turn)
  await journal.append(['a: 1', 'big:', 'a: 2'])
  isWriting = false
  // 8 MB in batches of 1 MiB.
  expect(turns).toBeGreaterThan(6)
  await journal.close()
  const facts = await reopened()
  expect(facts.map((fact) => fact.slice(0, 8).trim())).toEqual([
    ...['a: 1', 'a: 2'],
    ...Array.from({ length: parts }, (_, part) => `big: ${part}`.slice(0, 8)).map((text) =>
      `${text} xxx`.slice(0, 8).trim(),
    ),
  ])
})

test('a second process is told who is in the way', async () => {
  await open()
  await expect(open()).rejects.toThrow(JournalLockedError)
  await expect(open()).rejects.toThrow(`the journal in ${folder} is in use by another process`)
})

test('a folder that machines share is refused unless forced', async () => {
  const options = {
    folder,
    codec: textCodec,
    onWarning: () => undefined,
    fileSystemOf: async () => ({ type: 0x6969 }),
  }
  await expect(openLevelJournal(options)).rejects.toThrow(JournalRefusedError)
  await expect(openLevelJournal(options)).rejects.toThrow(`${folder} is on NFS`)
  await (await openLevelJournal({ ...options, force: true })).close()
})

test('a closed journal takes nothing', async () => {
  const journal = await open()
  await journal.close()
  await expect(journal.append(['a: 1'])).rejects.toThrow('is closed')
})
