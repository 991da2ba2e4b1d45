import { createHash } from 'node:crypto'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'

import { afterEach, describe, expect, test } from 'vitest'

import { chunkBytes, ChunkMissingError, type ChunkStore, ReadMemoryPool, type StoredChunk } from './chunk-store.js'
import { openFileChunkStore } from './file-chunk-store.js'
import { createMemoryChunkStore } from './memory-chunk-store.js'

const folders: string[] = []
afterEach(async () => {
  for (const folder of folders.splice(0)) await rm(folder, { recursive: true })
})

const implementations = {
  memory: async (): Promise<ChunkStore> => createMemoryChunkStore(),
  file: () => openFiles(false),
  'compressed file': () => openFiles(true),
}

async function openFiles(compresses: boolean): Promise<ChunkStore> {
  const folder = await mkdtemp(path.join(tmpdir(), 'costate-chunks-'))
  folders.push(folder)
  return await openFileChunkStore(path.join(folder, 'chunks'), { compresses })
}

describe.each(Object.entries(implementations))('the %s chunk store', (_, open) => {
  test.each([0, 1, 512 * 1024, 1_500_001, chunkBytes])('gives back %i bytes as they were written', async (length) => {
    const store = await open()
    const bytes = Buffer.alloc(length, 'costate')
    const digest = await put(store, bytes)
    expect((await read(store, digest)).equals(bytes)).toBe(true)
    expect(await listed(store)).toEqual([{ digest, byteLength: length }])
  })

  test('shows nothing before it is published, and nothing of what was given up', async () => {
    const store = await open()
    const chunk = await store.write(digestOf(Buffer.from('half')), Buffer.from('half'))
    expect(await listed(store)).toEqual([])
    await chunk.discard()
    await chunk.discard()
    expect(await listed(store)).toEqual([])
  })

  test('keeps what was published when it is given up after that', async () => {
    const store = await open()
    const bytes = Buffer.from('whole')
    const chunk = await store.write(digestOf(bytes), bytes)
    await store.publish([chunk])
    await chunk.discard()
    expect((await read(store, chunk.digest)).toString()).toBe('whole')
  })

  test('takes bytes that change afterwards', async () => {
    const store = await open()
    const transport = Buffer.from('one')
    const digest = digestOf(transport)
    const chunk = await store.write(digest, transport)
    transport.write('two')
    await store.publish([chunk])
    expect((await read(store, digest)).toString()).toBe('one')
  })

  test('publishes all chunks of a body, also one that is there', async () => {
    const store = await open()
    const bytes = Buffer.from('twice')
    const chunks = await Promise.all([bytes, bytes, Buffer.from('x')].map((one) => store.write(digestOf(one), one)))
    await store.publish(chunks)
    expect((await read(store, digestOf(bytes))).toString()).toBe('twice')
    expect(await listed(store)).toHaveLength(2)
  })

  test('says so when a chunk is not there, and removes one that is', async () => {
    const store = await open()
    const digest = await put(store, Buffer.from('x'))
    await store.remove(digest)
    await store.remove(digest)
    await expect(read(store, digest)).rejects.toThrow(ChunkMissingError)
    expect(await listed(store)).toEqual([])
  })

  test('writes others in the place of removed ones, and mixes none of them up', async () => {
    const store = await open()
    const lengths = [chunkBytes, 300_000, chunkBytes, 300_000, chunkBytes]
    const chunks = lengths.map((length, i) => Buffer.alloc(length, `${i}`))
    const first = await Promise.all(chunks.slice(0, 3).map((bytes) => put(store, bytes)))
    for (const digest of first) await store.remove(digest)
    const second = await Promise.all(chunks.slice(2).map((bytes) => put(store, bytes)))
    for (const [i, digest] of second.entries()) expect((await read(store, digest)).equals(chunks[i + 2]!)).toBe(true)
    expect(await listed(store)).toHaveLength(3)
    await store.close()
  })

  test('lets a reader finish whose chunk is written again meanwhile', async () => {
    const store = await open()
    const bytes = Buffer.alloc(2_000_000, 7)
    const digest = await put(store, bytes)
    const pieces = store.read(digest)[Symbol.asyncIterator]()
    const first = await pieces.next()
    await put(store, bytes)
    let length = first.done === true ? 0 : first.value.byteLength
    for (let piece = await pieces.next(); piece.done !== true; piece = await pieces.next())
      length += piece.value.byteLength
    expect(length).toBe(bytes.byteLength)
  })

  test('keeps many chunks that are written at once', async () => {
    const store = await open()
    const digests = await Promise.all(Array.from({ length: 60 }, (_, i) => put(store, Buffer.from(`chunk ${i % 50}`))))
    const found = (await listed(store)).map(({ digest }) => digest).sort()
    expect(found).toEqual([...new Set(digests)].sort())
  })
})

test('memory to read into is used again, as much as is worth keeping', () => {
  const pool = new ReadMemoryPool(1)
  const [first, second] = [pool.take(chunkBytes), pool.take(chunkBytes)]
  expect(new Set([...first, ...second]).size).toBe(4)
  pool.giveBack(first)
  pool.giveBack(second)
  expect(pool.take(200_000)).toBe(first)
  expect(pool.take(200_000)).not.toBe(second)
  // What is short has memory of its own, which is not kept.
  const short = pool.take(10_000)
  expect(short[0]).toHaveLength(10_000)
  pool.giveBack(short)
  expect(pool.take(10_000)).not.toBe(short)
})

function digestOf(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex')
}

async function put(store: ChunkStore, bytes: Uint8Array): Promise<string> {
  const chunk = await store.write(digestOf(bytes), bytes)
  await store.publish([chunk])
  return chunk.digest
}

async function read(store: ChunkStore, digest: string): Promise<Buffer> {
  const pieces: Uint8Array[] = []
  for await (const piece of store.read(digest)) pieces.push(Buffer.from(piece))
  return Buffer.concat(pieces)
}

async function listed(store: ChunkStore): Promise<StoredChunk[]> {
  const chunks: StoredChunk[] = []
  for await (const chunk of store.list()) chunks.push(chunk)
  return chunks
}
