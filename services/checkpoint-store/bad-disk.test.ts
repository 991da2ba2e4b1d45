import { randomUUID } from 'node:crypto'
import { rm } from 'node:fs/promises'

import { Status } from 'nice-grpc-common'
import { afterEach, beforeEach, expect, test } from 'vitest'

import { DigestAlgorithm, Health } from '#libs/proto'
import { readRpcFailure } from '#libs/rpc'

import { bytesOf, digestOf, RunningStore } from './running-store.fixture.js'
import { ChunkMissingError, type ChunkStore, DiskFailedError, DiskFullError } from './storage/chunk-store.js'
import { openFileChunkStore } from './storage/file-chunk-store.js'

let store: RunningStore

beforeEach(async () => {
  store = await RunningStore.create()
})
afterEach(() => store.dispose())

/** The same chunks with some methods replaced. */
function withOthers(chunks: ChunkStore, others: Partial<ChunkStore>): ChunkStore {
  return {
    list: () => chunks.list(),
    write: (digest, bytes) => chunks.write(digest, bytes),
    publish: (written) => chunks.publish(written),
    read: (digest, memory) => chunks.read(digest, memory),
    remove: (digest) => chunks.remove(digest),
    close: () => chunks.close(),
    ...others,
  }
}

/** Chunks on disk, of which the next write fails. */
async function failingChunks(error: Error) {
  const chunks = await openFileChunkStore(`${store.folder}/failing`)
  let isDue = false
  const failing = withOthers(chunks, {
    write: async (digest: string, bytes: Uint8Array) => {
      if (isDue) throw error
      return await chunks.write(digest, bytes)
    },
  })
  return { failing, failNow: () => (isDue = true), recover: () => (isDue = false) }
}

test('a full disk refuses the save with advice, keeps what is there, and takes saves again when there is room', async () => {
  const { failing, failNow, recover } = await failingChunks(new DiskFullError('the disk is full: delete checkpoints'))
  await store.start([], { chunks: failing })
  const client = await store.call()
  await client.save('a', bytesOf(100_000, 1))
  failNow()
  const refused = client.save('a', bytesOf(9_000_000, 2))
  await expect(refused).rejects.toMatchObject({ code: Status.RESOURCE_EXHAUSTED, reason: 'DISK_FULL' })
  expect((await client.load('a')).header.version).toBe(1n)
  recover()
  expect((await client.save('a', bytesOf(9_000_000, 2))).version).toBe(2n)
})

test('a disk that fails ends the process, and is never asked again', async () => {
  const fatal: unknown[] = []
  const { failing, failNow } = await failingChunks(new DiskFailedError('EIO'))
  await store.start([], { chunks: failing, onFatal: (error) => fatal.push(error) })
  const client = await store.call()
  failNow()
  await expect(client.save('a', bytesOf(100_000))).rejects.toMatchObject({ code: Status.INTERNAL })
  expect(fatal).toEqual([expect.any(DiskFailedError)])
})

test('a flush that fails ends the process before anybody hears of a version', async () => {
  const fatal: unknown[] = []
  let answered = false
  const catalogue = {
    durability: 'fsynced' as const,
    append: () => Promise.reject(new Error('EIO')),
    replay: async function* () {},
    close: async () => undefined,
  }
  const chunks = await openFileChunkStore(`${store.folder}/chunks`)
  await store.start([], { catalogue, chunks, onFatal: (error) => fatal.push(error) })
  const client = await store.call()
  client.save('a', bytesOf(10)).then(
    () => (answered = true),
    () => undefined,
  )
  await expect.poll(() => fatal).toEqual([new Error('EIO')])
  expect(answered).toBe(false)
})

test('a second store on one directory is refused before it touches anything', async () => {
  await store.start()
  const client = await store.call()
  const { digest } = await client.putBlob(bytesOf(100_000))
  const other = await RunningStore.create()
  await expect(other.start(['--data-dir', store.dataDir])).rejects.toThrow('in use by another process')
  expect(digestOf(await client.getBlob(digest))).toBe(digest)
  await other.dispose()
})

test('verify finds a flipped bit and a missing chunk, says what to load instead, and heals with a save', async () => {
  await store.start()
  const client = await store.call()
  await client.save('a', bytesOf(10_000, 1))
  await client.save('a', bytesOf(5_000_000, 2))
  await client.save('b', bytesOf(20_000, 3))
  const { digest } = await client.putBlob(bytesOf(30_000, 4))
  const sound = await verify(client)
  expect(sound.map(({ health }) => health)).toEqual([Health.SOUND, Health.SOUND, Health.SOUND, Health.SOUND])
  expect(sound.reduce((sum, { bytesRead }) => sum + Number(bytesRead), 0)).toBe(5_060_000)

  await rm(store.fileOf(digest))
  await rm(store.fileOf(digestOf(bytesOf(5_000_000, 2).subarray(0, 4 * 2 ** 20))))
  const found = await verify(client)
  expect(found.map(({ health }) => health)).toEqual([Health.SOUND, Health.MISSING, Health.SOUND, Health.MISSING])
  expect(found[1]?.message).toContain('load an older version')
  await expect(client.load('a')).rejects.toThrow('version 1 is sound, load that one')
  expect((await client.rpc.findBlobs({ digests: [digest] })).digests).toEqual([])

  await client.save('a', bytesOf(5_000_000, 2))
  expect((await client.load('a', 2)).bytes).toHaveLength(5_000_000)
  expect((await verify(client, 'a')).every(({ health }) => health === Health.SOUND)).toBe(true)
})

test('a chunk that rots is found by whoever loads it, before it is told as right', async () => {
  const chunks = await openFileChunkStore(`${store.folder}/rotting`)
  await store.start([], {
    chunks: withOthers(chunks, {
      read: async function* () {
        yield Buffer.alloc(100_000)
      },
    }),
  })
  const client = await store.call()
  await client.save('a', bytesOf(100_000))
  await expect(client.load('a')).rejects.toMatchObject({ code: Status.DATA_LOSS, reason: 'BLOB_DAMAGED' })
  await expect(chunks.read('00'.repeat(32))[Symbol.asyncIterator]().next()).rejects.toThrow(ChunkMissingError)
})

test.each([
  ['a path', '../../etc/passwd', "segments must not be empty, '.' or '..'"],
  ['an absolute path', '/etc/passwd', "segments must not be empty, '.' or '..'"],
  ['10,000 characters', 'x'.repeat(10_000), 'has 10000 characters, but at most 512 are allowed'],
  ['a control character', 'a\u0007b', 'cannot be printed'],
  ['nothing', '', 'the name is empty'],
])('a name that is %s is refused on every way in', async (_, name, message) => {
  await store.start()
  const client = await store.call()
  const refused = { code: Status.INVALID_ARGUMENT, reason: 'BAD_NAME' }
  await expect(client.save(name, bytesOf(10))).rejects.toMatchObject(refused)
  await expect(client.save(name, bytesOf(10))).rejects.toThrow(message)
  await expect(client.load(name)).rejects.toMatchObject(refused)
  const requestId = randomUUID()
  const asked = [
    client.rpc.getCheckpoint({ name }),
    client.rpc.deleteCheckpoint({ name, requestId }),
    client.rpc.acquireLease({ name, requestId }),
  ]
  for (const answer of asked) expect(await answer.catch(readRpcFailure)).toMatchObject({ reason: 'BAD_NAME' })
})

test('64 GB are refused before a byte is sent', async () => {
  await store.start()
  const client = await store.call()
  const value = { name: 'huge', version: 0n, info: undefined, writerToken: 0n, etag: '' }
  const source = {
    header: { byteLength: 64 * 2 ** 30, digestAlgorithm: DigestAlgorithm.XXH64 },
    // Sparse: the same megabyte again and again.
    read: function* () {
      for (const hole = new Uint8Array(2 ** 20); ;) yield hole
    },
  }
  const refused = client.saves.put({ $case: 'checkpoint', value }, source, { requestId: randomUUID() })
  await expect(refused).rejects.toMatchObject({ code: Status.INVALID_ARGUMENT, reason: 'OBJECT_TOO_LARGE' })
  expect((await store.files()).temporary).toEqual([])
})

test('a state of holes is stored once: its chunks are one and the same', async () => {
  await store.start()
  const client = await store.call()
  const bytes = new Uint8Array(20 * 2 ** 20)
  await client.save('sparse', bytes)
  expect((await store.files()).chunks).toHaveLength(1)
  expect(digestOf((await client.load('sparse')).bytes)).toBe(digestOf(bytes))
})

test('of a state of which a part changed, only the chunks of that part are stored again', async () => {
  await store.start()
  const client = await store.call()
  const bytes = bytesOf(33 * 2 ** 20)
  await client.save('a', bytes)
  const before = (await store.files()).chunks
  bytes.fill(7, 9 * 2 ** 20, 10 * 2 ** 20)
  await client.save('a', bytes)
  expect((await store.files()).chunks.length - before.length).toBe(1)
  expect(digestOf((await client.load('a')).bytes)).toBe(digestOf(bytes))
})

async function verify(client: Awaited<ReturnType<RunningStore['call']>>, prefix = '') {
  const verdicts = []
  for await (const verdict of client.rpc.verifyCheckpoints({ prefix })) verdicts.push(verdict)
  return verdicts
}
