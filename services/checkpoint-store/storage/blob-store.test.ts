import { createHash } from 'node:crypto'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'

import { afterEach, describe, expect, test } from 'vitest'

import { BlobMissingError, type BlobStore, type StoredBlob } from './blob-store.js'
import { openFileBlobStore } from './file-blob-store.js'
import { createMemoryBlobStore } from './memory-blob-store.js'

const folders: string[] = []
afterEach(async () => {
  for (const folder of folders.splice(0)) await rm(folder, { recursive: true })
})

const implementations = {
  memory: async (): Promise<BlobStore> => createMemoryBlobStore(),
  file: async (): Promise<BlobStore> => {
    const folder = await mkdtemp(path.join(tmpdir(), 'costate-blobs-'))
    folders.push(folder)
    return await openFileBlobStore(path.join(folder, 'blobs'))
  },
}

describe.each(Object.entries(implementations))('the %s blob store', (_, open) => {
  test.each([0, 1, 512 * 1024, 1_500_001])('gives back %i bytes as they were written', async (length) => {
    const store = await open()
    const bytes = Buffer.alloc(length, 'costate')
    const digest = await write(store, bytes)
    expect((await read(store, digest)).equals(bytes)).toBe(true)
    expect(await listed(store)).toEqual([{ digest, byteLength: length }])
  })

  test('shows nothing before the commit, and nothing of what was given up', async () => {
    const store = await open()
    const writer = await store.create()
    await writer.write(Buffer.from('half'))
    expect(await listed(store)).toEqual([])
    await writer.abort()
    expect(await listed(store)).toEqual([])
  })

  test('takes bytes that change afterwards', async () => {
    const store = await open()
    const writer = await store.create()
    const transport = Buffer.from('one ')
    await writer.write(transport)
    transport.write('two!')
    await writer.write(transport)
    const digest = digestOf(Buffer.from('one two!'))
    await writer.commit(digest)
    expect((await read(store, digest)).toString()).toBe('one two!')
  })

  test('says so when a blob is not there, and removes one that is', async () => {
    const store = await open()
    const digest = await write(store, Buffer.from('x'))
    await store.remove(digest)
    await store.remove(digest)
    await expect(store.open(digest)).rejects.toThrow(BlobMissingError)
    expect(await listed(store)).toEqual([])
  })

  test('lets a reader finish whose blob is removed or written again meanwhile', async () => {
    const store = await open()
    const bytes = Buffer.alloc(2_000_000, 7)
    const digest = await write(store, bytes)
    const reader = await store.open(digest)
    const pieces = reader.read()[Symbol.asyncIterator]()
    const first = await pieces.next()
    await store.remove(digest)
    await write(store, bytes)
    let length = first.done === true ? 0 : first.value.byteLength
    for (let piece = await pieces.next(); piece.done !== true; piece = await pieces.next())
      length += piece.value.byteLength
    expect(length).toBe(bytes.byteLength)
    await reader.close()
  })

  test('keeps many blobs that are written at once', async () => {
    const store = await open()
    const digests = await Promise.all(Array.from({ length: 60 }, (_, i) => write(store, Buffer.from(`blob ${i % 50}`))))
    const found = (await listed(store)).map(({ digest }) => digest).sort()
    expect(found).toEqual([...new Set(digests)].sort())
  })
})

function digestOf(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex')
}

async function write(store: BlobStore, bytes: Uint8Array): Promise<string> {
  const writer = await store.create()
  for (let at = 0; at < bytes.byteLength; at += 100_000) await writer.write(bytes.subarray(at, at + 100_000))
  const digest = digestOf(bytes)
  await writer.commit(digest)
  return digest
}

async function read(store: BlobStore, digest: string): Promise<Buffer> {
  const reader = await store.open(digest)
  const pieces: Uint8Array[] = []
  for await (const piece of reader.read()) pieces.push(piece)
  await reader.close()
  const bytes = Buffer.concat(pieces)
  expect(reader.byteLength).toBe(bytes.byteLength)
  return bytes
}

async function listed(store: BlobStore): Promise<StoredBlob[]> {
  const blobs: StoredBlob[] = []
  for await (const blob of store.list()) blobs.push(blob)
  return blobs
}
