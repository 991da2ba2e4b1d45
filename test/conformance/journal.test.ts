import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'

import { afterEach, describe, expect, test } from 'vitest'

import { createMemoryJournal, type FactSubject, type Journal, openLevelJournal } from '#libs/journal'

interface Fact {
  readonly number: number
  readonly text?: string
  /** What the fact is about; one and the same thing unless given. */
  readonly about?: string
  readonly does?: FactSubject['does']
}

const codec = {
  encode: (fact: Fact) => Buffer.from(JSON.stringify(fact)),
  decode: (bytes: Uint8Array) => JSON.parse(Buffer.from(bytes).toString()) as Fact,
  subjectOf: ({ about = 'all', does = 'adds' }: Fact): FactSubject => ({ name: about, does }),
}

const folders: string[] = []
afterEach(async () => {
  for (const folder of folders.splice(0)) await rm(folder, { recursive: true })
})

async function newFolder(): Promise<string> {
  const folder = await mkdtemp(path.join(tmpdir(), 'costate-journal-'))
  folders.push(folder)
  return path.join(folder, 'new', 'journal')
}

const onWarning = (message: string): never => expect.fail(message)

const inOrder = { memory: async () => createMemoryJournal<Fact>({ retain: true }) }

const bySubject = {
  'memory by subject': async () => createMemoryJournal<Fact>({ retain: true, subjectOf: codec.subjectOf }),
  level: async () => await openLevelJournal<Fact>({ folder: await newFolder(), codec, onWarning }),
}

const all: Record<string, () => Promise<Journal<Fact>>> = { ...inOrder, ...bySubject }

describe.each(Object.entries(all))('the %s journal', (_, open) => {
  test('replays every fact in the order of appending', async () => {
    const journal = await open()
    expect(await replayed(journal)).toEqual([])
    await journal.append([{ number: 1 }, { number: 2, text: 'ünï\n' }])
    await journal.append([])
    await journal.append([{ number: 3 }])
    expect(await replayed(journal)).toEqual([{ number: 1 }, { number: 2, text: 'ünï\n' }, { number: 3 }])
    await journal.close()
  })

  test('keeps the order of appends that run at once, and of facts large and small', async () => {
    const journal = await open()
    const facts = Array.from({ length: 300 }, (_, number) => ({ number, text: 'x'.repeat((number % 7) * 5000) }))
    await Promise.all(facts.map((fact) => journal.append([fact])))
    expect(await replayed(journal)).toEqual(facts)
    await journal.close()
  })

  test('takes the facts as they are when they are appended', async () => {
    const journal = await open()
    const facts = [{ number: 1 }]
    const appended = journal.append(facts)
    facts.push({ number: 2 })
    await appended
    expect(await replayed(journal)).toEqual([{ number: 1 }])
    await journal.close()
  })
})

describe.each(Object.entries(bySubject))('the %s journal', (_, open) => {
  const fact = (number: number, about: string, does: FactSubject['does'] = 'adds'): Fact => ({ number, about, does })

  test('gives the facts of each subject in order, subjects in the order in which they began', async () => {
    const journal = await open()
    await journal.append([fact(1, 'b'), fact(2, 'a'), fact(3, 'b')])
    await journal.append([fact(4, 'a')])
    await journal.append([fact(5, 'c'), fact(6, 'b')])
    expect(await numbers(journal)).toEqual([1, 3, 6, 2, 4, 5])
    await journal.close()
  })

  test('forgets a subject that ended and leaves the others; it may begin again', async () => {
    const journal = await open()
    await journal.append([fact(1, 'a'), fact(2, 'b')])
    await journal.append([fact(3, 'a', 'ends')])
    expect(await numbers(journal)).toEqual([2])
    await journal.append([fact(4, 'a'), fact(5, 'a', 'ends'), fact(6, 'a')])
    expect(await numbers(journal)).toEqual([2, 6])
    await journal.append([fact(7, 'unknown', 'ends')])
    expect(await numbers(journal)).toEqual([2, 6])
    await journal.close()
  })

  test('keeps the place of a subject whose facts are replaced', async () => {
    const journal = await open()
    await journal.append([fact(1, 'a'), fact(2, 'b')])
    await journal.append([fact(3, 'a'), fact(4, 'a', 'replaces'), fact(5, 'a')])
    await journal.append([fact(6, 'b', 'replaces')])
    await journal.append([fact(7, 'b', 'replaces'), fact(8, 'c', 'replaces')])
    expect(await numbers(journal)).toEqual([4, 5, 7, 8])
    await journal.close()
  })
})

async function replayed(journal: Journal<Fact>): Promise<Fact[]> {
  const facts: Fact[] = []
  for await (const fact of journal.replay()) facts.push(fact)
  return facts
}

async function numbers(journal: Journal<Fact>): Promise<number[]> {
  return (await replayed(journal)).map(({ number }) => number)
}
