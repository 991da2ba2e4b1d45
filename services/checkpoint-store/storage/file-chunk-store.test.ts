import { mkdir, mkdtemp, open, readdir, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'

import { afterEach, beforeEach, expect, test, vi } from 'vitest'

import { chunkBytes, type ChunkStore, DiskFailedError, DiskFullError } from './chunk-store.js'
import { openFileChunkStore } from './file-chunk-store.js'

const digest = 'ab'.repeat(32)
let folder: string

beforeEach(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'costate-chunks-'))
})
afterEach(async () => {
  vi.restoreAllMocks()
  await rm(folder, { recursive: true })
})

test('what a crash left half written is deleted at the start, what was published stays', async () => {
  const before = await openFileChunkStore(folder)
  await before.publish([await before.write(digest, Buffer.from('whole'))])
  await before.write('cd'.repeat(32), Buffer.from('not published'))
  expect(await readdir(path.join(folder, 'temporary'))).toHaveLength(1)
  const after = await openFileChunkStore(folder)
  expect(await readdir(path.join(folder, 'temporary'))).toEqual([])
  for await (const chunk of after.list()) expect(chunk).toEqual({ digest, byteLength: 5 })
})

test('a closed store has nothing left of what was given up a moment before', async () => {
  const store = await openFileChunkStore(folder)
  const chunk = await store.write(digest, Buffer.from('half'))
  const discarded = chunk.discard()
  await store.close()
  expect(await readdir(path.join(folder, 'temporary'))).toEqual([])
  await discarded
})

test('files lie under the first digit of their digest, for nobody else to read', async () => {
  const store = await openFileChunkStore(folder)
  await store.publish([await store.write(digest, Buffer.from('secret'))])
  const { mode } = await stat(path.join(folder, 'a', digest))
  expect(mode & 0o777).toBe(0o600)
})

test('files that are no chunks are left alone', async () => {
  await mkdir(path.join(folder, 'a'), { recursive: true })
  await mkdir(path.join(folder, 'lost+found'))
  await writeFile(path.join(folder, 'a', 'notes.txt'), 'mine')
  await writeFile(path.join(folder, 'a', 'cd'.repeat(32)), 'in the wrong folder')
  const store = await openFileChunkStore(folder)
  for await (const chunk of store.list()) expect.fail(`listed ${chunk.digest}`)
  expect(await readdir(path.join(folder, 'a'))).toHaveLength(2)
})

/** Makes the next call of a file's method fail as the system would. */
async function failNext(method: 'write' | 'datasync' | 'sync', code: string) {
  const probe = await open(folder, 'r')
  const handles = Object.getPrototypeOf(probe) as typeof probe
  await probe.close()
  return vi.spyOn(handles, method).mockRejectedValueOnce(Object.assign(new Error(code), { code }))
}

test.each([
  ['write', 'ENOSPC', 'the disk of the checkpoint-store is full'],
  ['datasync', 'EDQUOT', 'the disk quota of the checkpoint-store is used up'],
] as const)('a disk that is full at %s (%s) is said to be full, and nothing is left', async (method, code, message) => {
  const store = await openFileChunkStore(folder)
  await failNext(method, code)
  const writing = store.write(digest, Buffer.from('too much'))
  await expect(writing).rejects.toThrow(DiskFullError)
  await expect(writing).rejects.toThrow(message)
  await store.close()
  expect(await readdir(path.join(folder, 'temporary'))).toEqual([])
})

test('a sync that fails is never tried again: the disk is said to have failed', async () => {
  const store = await openFileChunkStore(folder)
  const sync = await failNext('datasync', 'EIO')
  await expect(store.write(digest, Buffer.from('x'))).rejects.toThrow(DiskFailedError)
  expect(sync).toHaveBeenCalledTimes(1)
  const chunk = await store.write(digest, Buffer.from('x'))
  // Of the folder.
  await failNext('sync', 'EIO')
  await expect(store.publish([chunk])).rejects.toThrow(DiskFailedError)
})

test('a compressed chunk takes less of the disk, and is read whether or not new ones are compressed', async () => {
  const bytes = Buffer.alloc(chunkBytes, 'costate ')
  const before = await openFileChunkStore(folder, { compresses: true })
  await before.publish([await before.write(digest, bytes)])
  const [name = ''] = await readdir(path.join(folder, 'a'))
  expect(name).toBe(`${digest}.${chunkBytes}.br`)
  expect((await stat(path.join(folder, 'a', name))).size).toBeLessThan(10_000)
  const after = await openFileChunkStore(folder)
  expect((await read(after)).equals(bytes)).toBe(true)
  for await (const chunk of after.list()) expect(chunk).toEqual({ digest, byteLength: chunkBytes })
  await after.remove(digest)
  expect(await readdir(path.join(folder, 'a'))).toEqual([])
})

test.each([true, false])(
  'a chunk has one form: what is put again takes the place of the other (compressed at first: %s)',
  async (first) => {
    const bytes = Buffer.alloc(chunkBytes, 'costate ')
    const before = await openFileChunkStore(folder, { compresses: first })
    await before.publish([await before.write(digest, bytes)])
    const [name = ''] = await readdir(path.join(folder, 'a'))
    await writeFile(path.join(folder, 'a', name), 'damaged')
    const after = await openFileChunkStore(folder, { compresses: !first })
    await after.publish([await after.write(digest, bytes)])
    expect(await readdir(path.join(folder, 'a'))).toHaveLength(1)
    expect((await read(after)).equals(bytes)).toBe(true)
    expect((await read(await openFileChunkStore(folder))).equals(bytes)).toBe(true)
  },
)

test('a compressed chunk that is damaged on disk does not read as something else', async () => {
  const store = await openFileChunkStore(folder, { compresses: true })
  await store.publish([await store.write(digest, Buffer.alloc(chunkBytes, 'costate '))])
  await writeFile(path.join(folder, 'a', `${digest}.${chunkBytes}.br`), 'damaged')
  await expect(read(store)).rejects.toThrow()
})

async function read(store: ChunkStore): Promise<Buffer> {
  const pieces: Uint8Array[] = []
  for await (const piece of store.read(digest)) pieces.push(Buffer.from(piece))
  return Buffer.concat(pieces)
}
