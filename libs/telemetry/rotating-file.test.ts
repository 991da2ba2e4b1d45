import { readFileSync } from 'node:fs'
import { readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'

import { expect, test } from 'vitest'

import { openRotatingFile } from './rotating-file.js'
import { makeRunDir } from './trace-run.fixture.js'

const suffix = '.jsonl'

async function linesIn(folder: string): Promise<Record<string, string[]>> {
  const names = (await readdir(folder)).sort()
  const texts = await Promise.all(names.map((name) => readFile(join(folder, name), 'utf8')))
  return Object.fromEntries(names.map((name, i) => [name, texts[i]!.split('\n').slice(0, -1)]))
}

test('keeps the newest files and never more bytes than allowed', async () => {
  const folder = await makeRunDir()
  const file = openRotatingFile({ stem: join(folder, 'w'), suffix, maxFileBytes: 12, maxFiles: 3 })
  await Promise.all(Array.from({ length: 11 }, (_, i) => file.append(`line${i}`)))
  await file.close()
  expect(await linesIn(folder)).toEqual({
    'w.4.jsonl': ['line6', 'line7'],
    'w.5.jsonl': ['line8', 'line9'],
    'w.jsonl': ['line10'],
  })
})

test('one file only: what does not fit any more is thrown away', async () => {
  const folder = await makeRunDir()
  const file = openRotatingFile({ stem: join(folder, 'w'), suffix, maxFileBytes: 12, maxFiles: 1 })
  for (const line of ['a-long-line', 'b', 'c-too-long-a-line-for-the-limit']) await file.append(line)
  await file.close()
  expect(await linesIn(folder)).toEqual({ 'w.jsonl': ['c-too-long-a-line-for-the-limit'] })
})

test('a second life goes on where the first ended, and ends the line that a crash tore', async () => {
  const folder = await makeRunDir()
  const stem = join(folder, 'w')
  await writeFile(`${stem}${suffix}`, 'first\nhal')
  const file = openRotatingFile({ stem, suffix, maxFileBytes: 1000, maxFiles: 2 })
  await file.append('second')
  await file.sync()
  await file.close()
  expect(await linesIn(folder)).toEqual({ 'w.jsonl': ['first', 'hal', 'second'] })
})

test('rotation counts on from the files that are there and leaves those of others alone', async () => {
  const folder = await makeRunDir()
  for (const name of ['w.7.jsonl', 'w.x.jsonl', 'w-2.1.jsonl']) await writeFile(join(folder, name), 'old\n')
  const file = openRotatingFile({ stem: join(folder, 'w'), suffix, maxFileBytes: 4, maxFiles: 2 })
  for (const line of ['abc', 'def']) await file.append(line)
  await file.close()
  expect(Object.keys(await linesIn(folder))).toEqual(['w-2.1.jsonl', 'w.8.jsonl', 'w.jsonl', 'w.x.jsonl'])
})

test('a failed write loses its line only: the next one makes the folder again', async () => {
  const parent = await makeRunDir()
  const folder = join(parent, 'traces')
  await writeFile(folder, 'a file where the folder should be')
  const file = openRotatingFile({ stem: join(folder, 'w'), suffix, maxFileBytes: 1000, maxFiles: 2 })
  await expect(file.append('lost')).rejects.toThrow()
  await rm(folder)
  await file.append('kept')
  await file.close()
  expect(await linesIn(folder)).toEqual({ 'w.jsonl': ['kept'] })
})

test('at the last moment what is waiting is written without the event loop', async () => {
  const folder = join(await makeRunDir(), 'traces')
  const file = openRotatingFile({ stem: join(folder, 'w'), suffix, maxFileBytes: 1000, maxFiles: 2 })
  const appended = Promise.allSettled(['a', 'b', 'c'].map((line) => file.append(line)))
  file.drainSync()
  expect(readFileSync(join(folder, 'w.jsonl'), 'utf8')).toContain('a\nb\nc\n')
  await appended
  await file.close()
})
