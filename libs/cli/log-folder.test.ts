import { appendFile, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'

import { afterEach, beforeEach, expect, test } from 'vitest'

import { changesOf, openLogFolder } from './log-folder.js'

let folder: string
beforeEach(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'costate-logs-'))
})
afterEach(() => rm(folder, { recursive: true }))

const line = (second: number, text: string): string =>
  `${JSON.stringify({ level: 'info', time: `2026-01-01T00:00:0${second}.000Z`, msg: text })}\n`
const fileOf = (name: string): string => path.join(folder, `${name}.log`)

async function textsOf(logs: ReturnType<typeof openLogFolder>): Promise<string[]> {
  return (await logs.readNew()).map(({ text }) => text)
}

test('files are merged by time, and a trace stays behind the line that it belongs to', async () => {
  await writeFile(fileOf('scheduler'), line(1, 'serves') + line(4, 'ends'))
  await writeFile(fileOf('worker-0'), `${line(2, 'fails')}Error: boom\n    at x\n${line(5, 'again')}`)
  await writeFile(path.join(folder, 'costate-cpu-17.out'), line(3, 'of a job'))
  await writeFile(path.join(folder, 'notes.txt'), 'no log\n')

  const logs = openLogFolder(folder)

  expect(await textsOf(logs)).toEqual(['serves', 'fails', 'Error: boom', '    at x', 'of a job', 'ends', 'again'])
})

test('what is written later is read once, whole lines only, in new files too', async () => {
  await writeFile(fileOf('worker-0'), line(1, 'one') + line(2, 'zwölf').slice(0, -6))
  const logs = openLogFolder(folder)
  expect(await textsOf(logs)).toEqual(['one'])

  await appendFile(fileOf('worker-0'), line(2, 'zwölf').slice(-6))
  await writeFile(fileOf('worker-1'), line(3, 'three'))
  expect(await textsOf(logs)).toEqual(['zwölf', 'three'])
  expect(await textsOf(logs)).toEqual([])

  await writeFile(fileOf('worker-0'), line(4, 'anew'))
  expect(await textsOf(logs)).toEqual(['anew'])
})

test('a process that wrote nothing of the logger is known by its file', async () => {
  await writeFile(fileOf('checkpoint-store'), 'Segmentation fault\n')

  expect(await openLogFolder(folder).readNew()).toMatchObject([
    { service: 'checkpoint-store', instance: 'checkpoint-store', text: 'Segmentation fault' },
  ])
})

test('a change of the folder is told until nobody listens any more', async () => {
  const listening = new AbortController()
  const logs = openLogFolder(folder)
  const seen: string[] = []
  for await (const _ of changesOf(folder, listening.signal)) {
    seen.push(...(await textsOf(logs)))
    if (seen.length === 0) await writeFile(fileOf('worker-0'), line(1, 'written while somebody looks'))
    else listening.abort()
  }

  expect(seen).toEqual(['written while somebody looks'])
})
