import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'

import { afterEach, describe, expect, test } from 'vitest'

import { type CompactingJournal, createMemoryJournal, openFileJournal } from '#libs/journal'

interface Fact {
  readonly number: number
  readonly text?: string
}

const codec = {
  encode: (fact: Fact) => Buffer.from(JSON.stringify(fact)),
  decode: (bytes: Uint8Array) => JSON.parse(Buffer.from(bytes).toString()) as Fact,
}

const folders: string[] = []
afterEach(async () => {
  for (const folder of folders.splice(0)) await rm(folder, { recursive: true })
})

const implementations = {
  memory: async () => createMemoryJournal<Fact>({ retain: true }),
  file: async () => {
    const folder = await mkdtemp(path.join(tmpdir(), 'costate-journal-'))
    folders.push(folder)
    return await openFileJournal<Fact>({
      file: path.join(folder, 'new', 'journal'),
      codec,
      onWarning: (message) => expect.fail(message),
    })
  },
}

describe.each(Object.entries(implementations))('the %s journal', (_, open) => {
  test('replays every fact in the order of appending', async () => {
    const journal = await open()
    expect(await replayed(journal)).toEqual([])
    await journal.append([{ number: 1 }, { number: 2, text: 'ünï\n' }])
    await journal.append([])
    await journal.append([{ number: 3 }])
    expect(await replayed(journal)).toEqual([{ number: 1 }, { number: 2, text: 'ünï\n' }, { number: 3 }])
    expect(journal.factCount).toBe(3)
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

  test('compacts to the facts given, and goes on from there', async () => {
    const journal = await open()
    for (let number = 0; number < 50; number++) await journal.append([{ number }])
    const last = journal.append([{ number: 50 }])
    const compacted = journal.compact([{ number: -1, text: 'all of them' }])
    const next = journal.append([{ number: 51 }])
    await Promise.all([last, compacted, next])
    expect(journal.factCount).toBe(2)
    expect(await replayed(journal)).toEqual([{ number: -1, text: 'all of them' }, { number: 51 }])
    await journal.close()
  })

  test('can be compacted to nothing', async () => {
    const journal = await open()
    await journal.append([{ number: 1 }])
    await journal.compact([])
    expect(await replayed(journal)).toEqual([])
    await journal.close()
  })
})

async function replayed(journal: CompactingJournal<Fact>): Promise<Fact[]> {
  const facts: Fact[] = []
  for await (const fact of journal.replay()) facts.push(fact)
  return facts
}
