import { randomFillSync, randomUUID } from 'node:crypto'
import { appendFile, open, readdir, readFile, rm, truncate, writeFile } from 'node:fs/promises'
import path from 'node:path'

import { Status } from 'nice-grpc-common'
import { afterEach, beforeEach, expect, test } from 'vitest'

import { readAddress } from '#libs/lifecycle'
import { DigestAlgorithm, Durability, Health, type Value } from '#libs/proto'
import { createRpcChannel, createRpcClient, closeRpcChannel, readRpcFailure } from '#libs/rpc'
import { readRunSpans, startTelemetry } from '#libs/telemetry'
import { checkpointServiceDefinition, createMemorySink } from '#libs/transfer'

import { bytesOf, digestOf, RunningStore, sourceOf } from './running-store.fixture.js'

let store: RunningStore

beforeEach(async () => {
  store = await RunningStore.create()
  await store.start()
})
afterEach(() => store.dispose())

const text = (value: string): Value => ({ kind: { $case: 'text', value } })

test('a blob comes back as it was put, also after a restart, and is stored once', async () => {
  const client = await store.call()
  const bytes = bytesOf(3_000_001)
  const { digest, receipt } = await client.putBlob(bytes)
  expect(receipt).toEqual({ durability: Durability.FSYNCED, version: 0n })
  expect((await client.putBlob(bytes)).receipt.durability).toBe(Durability.FSYNCED)
  await store.restart()
  const worker = await store.call('worker')
  expect(digestOf(await worker.getBlob(digest))).toBe(digest)
  expect(await store.files()).toEqual({ chunks: [digest], temporary: [] })
  expect((await worker.rpc.findBlobs({ digests: ['00'.repeat(32), digest] })).digests).toEqual([digest])
})

test('a checkpoint comes back with its structure and what is remembered beside it', async () => {
  const worker = await store.call('worker')
  const [first, second] = [bytesOf(1000, 1), bytesOf(2_000_000, 2)]
  await worker.save('jobs/j/tasks/7', first, { structure: text('first'), cost: -0 })
  const receipt = await worker.save('jobs/j/tasks/7', second, { structure: text('x'.repeat(100_000)), cost: NaN })
  expect(receipt).toEqual({ durability: Durability.FSYNCED, version: 2n })
  await store.restart()
  const again = await store.call('worker')
  const newest = await again.load('jobs/j/tasks/7')
  expect(digestOf(newest.bytes)).toBe(digestOf(second))
  expect(newest.header).toMatchObject({
    structure: text('x'.repeat(100_000)),
    version: 2n,
    checkpointInfo: { iteration: 12n, cost: NaN, labels: new Map([['solver', 'ipm']]) },
  })
  const older = await again.load('jobs/j/tasks/7', 1)
  expect(older.header).toMatchObject({ structure: text('first'), version: 1n, checkpointInfo: { cost: -0 } })
  const { checkpoint } = await again.rpc.getCheckpoint({ name: 'jobs/j/tasks/7', version: 0n })
  expect(checkpoint).toMatchObject({ version: 2n, byteLength: 2_000_000n, digest: digestOf(second) })
})

test('an empty state is a state', async () => {
  const client = await store.call()
  await client.save('empty', new Uint8Array(0))
  expect((await client.load('empty')).bytes).toHaveLength(0)
})

test('the disk levels off: only the last versions keep their files', async () => {
  const client = await store.call()
  const versions = Array.from({ length: 12 }, (_, i) => bytesOf(10_000, i))
  for (const bytes of versions) await client.save('a', bytes, { structure: text('x'.repeat(10_000)) })
  await store.stop()
  const structure = 1
  expect((await store.files()).chunks).toHaveLength(3 + structure)
  await store.start()
  const { versions: deleted } = await (await store.call()).rpc.deleteCheckpoint({ name: 'a', requestId: randomUUID() })
  expect(deleted).toBe(3)
  await store.stop()
  expect((await store.files()).chunks).toEqual([])
})

test('what is compressed comes back to the bit, is sound, and takes less of the disk; noise is left as it is', async () => {
  await store.stop()
  await store.start(['--compress', 'auto'])
  const client = await store.call()
  const zeros = new Uint8Array(10_000_000).fill(1, 5_000_000, 5_001_000)
  const noise = randomFillSync(new Uint8Array(10_000_000))
  await client.save('zeros', zeros)
  const { chunks: packed } = await store.files()
  expect(packed.every((name) => name.endsWith('.br'))).toBe(true)
  await client.save('noise', noise)
  expect((await store.files()).chunks.filter((name) => !name.endsWith('.br'))).toHaveLength(3)
  await store.restart()
  const again = await store.call()
  expect(Buffer.from((await again.load('zeros')).bytes).equals(zeros)).toBe(true)
  expect(Buffer.from((await again.load('noise')).bytes).equals(noise)).toBe(true)
  for await (const { health } of again.rpc.verifyCheckpoints({})) expect(health).toBe(Health.SOUND)
  // One that is there is not written again, in whatever form.
  await again.save('zeros', zeros)
  expect((await store.files()).chunks).toHaveLength(packed.length + 3)
})

test('a save that is repeated with its request id gets the first version', async () => {
  const client = await store.call()
  const requestId = randomUUID()
  const bytes = bytesOf(5_000_000)
  const repeats = Array.from({ length: 3 }, () => client.save('a', bytes, { requestId }))
  expect((await Promise.all(repeats)).map(({ version }) => version)).toEqual([1n, 1n, 1n])
  await client.save('a', bytesOf(10))
  await store.restart()
  const again = await store.call()
  expect((await again.save('a', bytes, { requestId })).version).toBe(1n)
  expect((await again.load('a')).header.version).toBe(2n)
  const remove = { name: 'a', requestId: randomUUID() }
  expect((await again.rpc.deleteCheckpoint(remove)).versions).toBe(2)
  expect((await again.rpc.deleteCheckpoint(remove)).versions).toBe(2)
})

test('many writers on one stream each get their versions', async () => {
  const client = await store.call()
  const saves = Array.from({ length: 300 }, (_, i) => client.save(`t/${i % 30}`, bytesOf(2_000, i)))
  await Promise.all(saves)
  const { checkpoints, nextPageToken } = await client.rpc.listCheckpoints({ prefix: 't/1', pageSize: 4 })
  expect(checkpoints.map(({ name, version }) => [name, version])).toEqual([
    ['t/1', 10n],
    ['t/10', 10n],
    ['t/11', 10n],
    ['t/12', 10n],
  ])
  const rest = await client.rpc.listCheckpoints({ prefix: 't/1', pageToken: nextPageToken })
  expect(rest.checkpoints).toHaveLength(7)
  expect(rest.nextPageToken).toBe('')
})

test('small states come back to the bit, with their structure, also after a restart', async () => {
  const client = await store.call()
  // The store has greeted since: from here on they come whole.
  await client.save('first', bytesOf(1))
  const lengths = [0, 1, 2_048, 4_096, 4_097, 16_384]
  const saved = lengths.map((length, i) => ({ name: `small/${length}`, bytes: bytesOf(length, i), cost: i / 3 }))
  for (const algorithm of [DigestAlgorithm.SHA256, DigestAlgorithm.XXH64]) {
    await Promise.all(
      saved.map(({ name, bytes, cost }) => client.save(name, bytes, { structure: text(name), cost, algorithm })),
    )
  }
  await store.restart()
  const again = await store.call()
  for (const { name, bytes, cost } of saved) {
    const got = await again.load(name)
    expect(Buffer.from(got.bytes).equals(bytes)).toBe(true)
    expect(got.header).toMatchObject({ version: 2n, structure: text(name), checkpointInfo: { cost, iteration: 12n } })
  }
  const { checkpoint } = await again.rpc.getCheckpoint({ name: 'small/2048' })
  expect(checkpoint?.digest).toBe(digestOf(bytesOf(2_048, 2)))
})

test('a small save is refused as every other: a stale lease, an etag that is not the newest one, a name that is none', async () => {
  const client = await store.call()
  await client.save('a', bytesOf(1))
  const lease = (): Promise<{ token: bigint }> =>
    client.rpc.acquireLease({ name: 'a', holder: 'test', requestId: randomUUID() })
  const { token } = await lease()
  await lease()
  await expect(client.save('a', bytesOf(2), { writerToken: token })).rejects.toMatchObject({ reason: 'STALE_LEASE' })
  await expect(client.save('a', bytesOf(2), { etag: '0' })).rejects.toMatchObject({ reason: 'ETAG_MISMATCH' })
  await expect(client.save('../a', bytesOf(2))).rejects.toMatchObject({ code: Status.INVALID_ARGUMENT })
  const requestId = randomUUID()
  const repeats = [1, 2, 3].map(() => client.save('a', bytesOf(3), { requestId }))
  expect((await Promise.all(repeats)).map(({ version }) => version)).toEqual([2n, 2n, 2n])
})

test('a study that is run twice under one name is not refused by its own old leases', async () => {
  const lease = async (client: Awaited<ReturnType<RunningStore['call']>>): Promise<bigint> =>
    (await client.rpc.acquireLease({ name: 'studies/s', holder: 'the study', requestId: randomUUID() })).token
  const first = await store.call()
  const old = await lease(first)
  await first.save('studies/s', bytesOf(100_000), { writerToken: old })
  await store.restart()
  const again = await store.call()
  expect((await again.load('studies/s')).header.version).toBe(1n)
  const writerToken = await lease(again)
  expect((await again.save('studies/s', bytesOf(5), { writerToken })).version).toBe(2n)
  expect((await again.save('studies/s', bytesOf(100_000, 2), { writerToken })).version).toBe(3n)
  // A program's own save asks for none.
  expect((await again.save('studies/s', bytesOf(6))).version).toBe(4n)
  await expect(again.save('studies/s', bytesOf(7), { writerToken: old })).rejects.toMatchObject({
    code: Status.ABORTED,
  })
})

test('bytes that rot on disk are found by their digest, never served, and healed by another put', async () => {
  const client = await store.call()
  const bytes = bytesOf(2_000_000)
  const { digest } = await client.putBlob(bytes)
  await flipBit(store.fileOf(digest), 1_234_567)
  const damaged = { code: Status.DATA_LOSS, reason: 'BLOB_DAMAGED' }
  let committed = 0
  const get = client.loads.get({ $case: 'blobDigest', value: digest }, (header) =>
    createMemorySink(header, () => {
      committed++
    }),
  )
  await expect(get).rejects.toMatchObject(damaged)
  expect(committed).toBe(0)
  await expect(client.getBlob(digest)).rejects.toMatchObject(damaged)
  expect((await client.rpc.findBlobs({ digests: [digest] })).digests).toEqual([])
  await client.putBlob(bytes)
  expect(digestOf(await client.getBlob(digest))).toBe(digest)
})

test('a file that is shorter than it was, or gone, is DATA_LOSS with advice', async () => {
  const client = await store.call()
  const cut = (await client.putBlob(bytesOf(1_000_000, 1))).digest
  await writeFile(store.fileOf(cut), 'short')
  await expect(client.getBlob(cut)).rejects.toMatchObject({ code: Status.DATA_LOSS, reason: 'BLOB_DAMAGED' })
  await client.save('a', bytesOf(10_000, 2))
  await client.save('a', bytesOf(10_000, 3), { structure: text('x'.repeat(10_000)) })
  const { header } = await client.load('a')
  await rm(store.fileOf(digestOf(bytesOf(10_000, 3))))
  await expect(client.load('a')).rejects.toMatchObject({ code: Status.DATA_LOSS, reason: 'BLOB_DAMAGED' })
  await expect(client.load('a')).rejects.toThrow('version 1 is sound, load that one')
  expect((await client.load('a', 1)).bytes).toHaveLength(10_000)
  expect(header.version).toBe(2n)
})

test('a structure that rots on disk is found too', async () => {
  const client = await store.call()
  await client.save('a', bytesOf(100), { structure: text('x'.repeat(10_000)) })
  const { chunks } = await store.files()
  const structure = chunks.find((digest) => digest !== digestOf(bytesOf(100))) ?? ''
  await flipBit(store.fileOf(structure), 5_000)
  await expect(client.load('a')).rejects.toMatchObject({ code: Status.DATA_LOSS, reason: 'BLOB_DAMAGED' })
})

test('a catalogue that ends in a torn write goes on with all that was acknowledged', async () => {
  const client = await store.call()
  await client.save('a', bytesOf(10, 1))
  await client.save('b', bytesOf(10, 2))
  await store.stop()
  const log = await catalogueLog(store)
  // The start of a record whose end the disk never got.
  await appendFile(log, (await readFile(log)).subarray(0, 40))
  await store.start()
  const again = await store.call()
  expect((await again.load('a')).header.version).toBe(1n)
  expect((await again.load('b')).header.version).toBe(1n)
  expect((await again.save('b', bytesOf(10, 3))).version).toBe(2n)
})

test('a catalogue that lost what was acknowledged stops the start with advice', async () => {
  const client = await store.call()
  await client.save('a', bytesOf(10, 1))
  await store.stop()
  const log = await catalogueLog(store)
  await truncate(log, 10)
  await expect(store.start()).rejects.toThrow(/acknowledged.*restore the folder from a copy/)
})

test('bytes that are not those of the announced digest are refused, and leave nothing behind', async () => {
  const client = await store.call()
  const target = { $case: 'blobDigest', value: digestOf(bytesOf(10, 1)) } as const
  const put = client.saves.put(target, sourceOf(bytesOf(10, 2)), { requestId: randomUUID() })
  await expect(put).rejects.toMatchObject({ code: Status.INVALID_ARGUMENT, reason: 'DIGEST_MISMATCH' })
  await store.stop()
  expect(await store.files()).toEqual({ chunks: [], temporary: [] })
})

test('a client that dies in the middle of a save leaves nothing behind', async () => {
  const client = await store.call()
  const bytes = bytesOf(1_000_000)
  let read: () => void = () => undefined
  const reading = new Promise<void>((resolve) => (read = resolve))
  const source = {
    ...sourceOf(bytesOf(100_000_000)),
    read: async function* () {
      yield bytes
      read()
      await new Promise<never>(() => undefined)
    },
  }
  const info = { iteration: undefined, cost: undefined, labels: new Map<string, string>() }
  const value = { name: 'a', version: 0n, info, writerToken: 0n, etag: '' }
  const target = { $case: 'checkpoint', value } as const
  const put = client.saves.put(target, source, { requestId: randomUUID() })
  put.catch(() => undefined)
  await reading
  client.close()
  await expect(put).rejects.toMatchObject({ code: Status.UNAVAILABLE })
  const other = await store.call()
  await expect(other.load('a')).rejects.toMatchObject({ code: Status.NOT_FOUND })
  await store.stop()
  expect(await store.files()).toEqual({ chunks: [], temporary: [] })
})

test('at its disk limit the store refuses with advice and keeps what it has', async () => {
  await store.restart(['--max-disk-bytes', '1MB'])
  const client = await store.call()
  await client.save('a', bytesOf(900_000))
  const refused = client.save('b', bytesOf(200_000))
  await expect(refused).rejects.toMatchObject({ code: Status.RESOURCE_EXHAUSTED, reason: 'DISK_LIMIT_REACHED' })
  await expect(refused).rejects.toThrow('raise --max-disk-bytes')
  expect((await client.load('a')).bytes).toHaveLength(900_000)
})

test('a save stream only takes, a load stream only gives', async () => {
  const client = await store.call()
  const bytes = bytesOf(10)
  const target = { $case: 'blobDigest', value: digestOf(bytes) } as const
  const wrong = { code: Status.INVALID_ARGUMENT, reason: 'WRONG_DIRECTION' }
  await expect(client.loads.put(target, sourceOf(bytes), { requestId: 'r' })).rejects.toMatchObject(wrong)
  await expect(client.saves.get(target, (header) => createMemorySink(header, () => undefined))).rejects.toMatchObject(
    wrong,
  )
  const object = { $case: 'objectId', value: 'o' } as const
  await expect(client.saves.put(object, sourceOf(bytes), { requestId: 'r' })).rejects.toMatchObject({
    code: Status.INVALID_ARGUMENT,
    reason: 'WRONG_TARGET',
  })
})

test('what is refused names the field and the reason', async () => {
  const client = await store.call()
  const missing = await client.rpc.getCheckpoint({ name: 'nothing' }).catch(readRpcFailure)
  expect(missing).toMatchObject({ code: 'NOT_FOUND', reason: 'CHECKPOINT_NOT_FOUND', metadata: { name: 'nothing' } })
  const bad = await client.rpc.deleteCheckpoint({ name: 'a/../b', requestId: 'r' }).catch(readRpcFailure)
  expect(bad).toMatchObject({ code: 'INVALID_ARGUMENT', reason: 'BAD_NAME', fieldViolations: [{ field: 'name' }] })
})

test('an observer looks and does not touch; a caller without a token does neither', async () => {
  await (await store.call()).save('a', bytesOf(10))
  const observer = await store.call('observer')
  expect((await observer.rpc.listCheckpoints({})).checkpoints).toHaveLength(1)
  await expect(observer.load('a')).rejects.toMatchObject({ code: Status.PERMISSION_DENIED })
  await expect(observer.save('a', bytesOf(10))).rejects.toMatchObject({ code: Status.PERMISSION_DENIED })
  const worker = await store.call('worker')
  const removed = await worker.rpc.deleteCheckpoint({ name: 'a', requestId: 'r' }).catch(readRpcFailure)
  expect(removed).toMatchObject({ code: 'PERMISSION_DENIED' })

  const security = { role: 'client', token: 'ct1.client.guess', verifyToken: () => undefined } as const
  const channel = createRpcChannel(store.address, { security, serverRole: 'checkpointStore', kind: 'control' })
  const stranger = createRpcClient(checkpointServiceDefinition, channel)
  const refused = await stranger.listCheckpoints({}).catch(readRpcFailure)
  expect(refused).toMatchObject({ code: 'UNAUTHENTICATED' })
  closeRpcChannel(channel)
})

test('each save and load is a span in the trace of who asked', async () => {
  const telemetry = startTelemetry({ service: 'checkpoint-store', instanceId: 'test', runDir: store.folder })
  const traceId = '0af7651916cd43dd8448eb211c80319c'
  const trace = { traceparent: `00-${traceId}-b7ad6b7169203331-01` }
  const client = await store.call()
  await client.save('jobs/j/tasks/7', bytesOf(1000), { trace })
  await client.load('jobs/j/tasks/7', 0, trace)
  await client.load('missing', 0, trace).catch(() => undefined)
  await client.save('untraced', bytesOf(10))
  await store.stop()
  await telemetry.shutdown()
  const spans = (await readRunSpans(store.folder)).filter((span) => span.traceId === traceId)
  expect(spans.map(({ name }) => name).sort()).toEqual(['checkpoint load', 'checkpoint load', 'checkpoint save'])
  const save = spans.find(({ name }) => name === 'checkpoint save')
  expect(save).toMatchObject({
    parentSpanId: 'b7ad6b7169203331',
    attributes: {
      'costate.checkpoint.name': 'jobs/j/tasks/7',
      'costate.checkpoint.version': 1,
      'costate.object.size': 1000,
    },
  })
})

test('the store says where it listens', async () => {
  expect(await readAddress(store.meshDir, 'checkpointStore')).toEqual({ addresses: [store.address], pid: process.pid })
})

async function catalogueLog({ dataDir }: RunningStore): Promise<string> {
  const folder = path.join(dataDir, 'catalogue', 'level')
  return path.join(folder, (await readdir(folder)).find((name) => name.endsWith('.log')) ?? '')
}

async function flipBit(file: string, at: number): Promise<void> {
  const handle = await open(file, 'r+')
  const byte = Buffer.alloc(1)
  await handle.read(byte, 0, 1, at)
  byte[0]! ^= 1
  await handle.write(byte, 0, 1, at)
  await handle.close()
}
