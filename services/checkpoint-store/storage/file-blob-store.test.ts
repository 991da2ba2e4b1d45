import { mkdir, mkdtemp, open, readdir, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'

import { afterEach, beforeEach, expect, test, vi } from 'vitest'

import { DiskFullError } from './blob-store.js'
import { openFileBlobStore } from './file-blob-store.js'

const digest = 'ab'.repeat(32)
let folder: string

beforeEach(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'costate-blobs-'))
})
afterEach(async () => {
  vi.restoreAllMocks()
  await rm(folder, { recursive: true })
})

test('what a crash left half written is deleted at the start, what was committed stays', async () => {
  const before = await openFileBlobStore(folder)
  const committed = await before.create()
  await committed.write(Buffer.from('whole'))
  await committed.commit(digest)
  await (await before.create()).write(Buffer.from('half'))
  expect(await readdir(path.join(folder, 'temporary'))).toHaveLength(1)
  const after = await openFileBlobStore(folder)
  expect(await readdir(path.join(folder, 'temporary'))).toEqual([])
  expect((await after.open(digest)).byteLength).toBe(5)
})

test('a closed store has nothing left of what was given up a moment before', async () => {
  const store = await openFileBlobStore(folder)
  const writer = await store.create()
  await writer.write(Buffer.from('half'))
  const aborted = writer.abort()
  await store.close()
  expect(await readdir(path.join(folder, 'temporary'))).toEqual([])
  await aborted
})

test('files lie under the first two digits of their digest, for nobody else to read', async () => {
  const store = await openFileBlobStore(folder)
  const writer = await store.create()
  await writer.write(Buffer.from('secret'))
  await writer.commit(digest)
  const { mode } = await stat(path.join(folder, 'ab', digest))
  expect(mode & 0o777).toBe(0o600)
})

test('files that are no blobs are left alone', async () => {
  await mkdir(path.join(folder, 'ab'), { recursive: true })
  await mkdir(path.join(folder, 'lost+found'))
  await writeFile(path.join(folder, 'ab', 'notes.txt'), 'mine')
  await writeFile(path.join(folder, 'ab', 'cd'.repeat(32)), 'in the wrong folder')
  const store = await openFileBlobStore(folder)
  for await (const blob of store.list()) expect.fail(`listed ${blob.digest}`)
  expect(await readdir(path.join(folder, 'ab'))).toHaveLength(2)
})

test.each([
  ['write', 'ENOSPC', 'the disk of the checkpoint-store is full'],
  ['sync', 'EDQUOT', 'the disk quota of the checkpoint-store is used up'],
] as const)('a disk that is full at %s (%s) is said to be full, and nothing is left', async (method, code, message) => {
  const store = await openFileBlobStore(folder)
  const probe = await open(folder, 'r')
  const handles = Object.getPrototypeOf(probe) as typeof probe
  await probe.close()
  vi.spyOn(handles, method).mockRejectedValueOnce(Object.assign(new Error(code), { code }))
  const writer = await store.create()
  const writing = writer.write(Buffer.from('too much')).then(() => writer.commit(digest))
  await expect(writing).rejects.toThrow(DiskFullError)
  await expect(writing).rejects.toThrow(message)
  await writer.abort()
  expect(await readdir(path.join(folder, 'temporary'))).toEqual([])
  expect(await readdir(folder)).toEqual(['temporary'])
})
