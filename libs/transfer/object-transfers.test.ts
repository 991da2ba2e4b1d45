import { existsSync } from 'node:fs'
import { randomUUID } from 'node:crypto'

import { Status } from 'nice-grpc-common'
import { expect, test } from 'vitest'

import { wholeOf } from '#libs/memory'
import {
  DigestAlgorithm,
  type ObjectDescriptor,
  type TransferFrame,
  type TransferHeader,
  type TransferOpen,
} from '#libs/proto'

import { checkBatch, createBatchSink, type IncomingObject, sourceOfBatch, splitBatch } from './batch.js'
import { xxh64Of } from './digest.js'
import type { Sink, Source } from './endpoint.js'
import { batchBytes, maxBatchObjects, smallObjectBytes } from './limits.js'
import { createObjectTransfers } from './object-transfers.js'
import { bytesOf, connectPair, fingerprint, MemoryHost, type PairOptions } from './pair.fixture.js'
import { TransferError } from './transfer-error.js'

const session = randomUUID()
const holders = [{ addresses: ['a worker'] }]

/** A listener that takes and gives batches, as workers do. */
class BatchHost extends MemoryHost {
  override openSource(open: TransferOpen): Promise<Source> {
    if (open.target?.$case !== 'objects') return super.openSource(open)
    this.opens.push(open)
    const held = open.target.value.objectIds.flatMap((id) => {
      const bytes = this.bodies.get(`object ${id}`)
      return bytes ? [{ id, bytes }] : []
    })
    return Promise.resolve(
      sourceOfBatch(
        held.map(({ id, bytes }) => descriptorOf(id, bytes)),
        () => held.map(({ bytes }) => bytes),
      ),
    )
  }

  override async openSink(open: TransferOpen, header: TransferHeader): ReturnType<MemoryHost['openSink']> {
    if (open.target?.$case !== 'objects') return await super.openSink(open, header)
    this.opens.push(open)
    checkBatch(header.objects, header.byteLength)
    return createBatchSink(header, (objects) => {
      for (const { objectId, bytes } of objects) this.bodies.set(`object ${objectId}`, bytes)
    })
  }
}

/** A listener of before there were batches. */
class OldHost extends MemoryHost {
  override async openSink(open: TransferOpen, header: TransferHeader): Promise<Sink> {
    if (open.target?.$case !== 'objects') return (await super.openSink(open, header)) as Sink
    throw new TransferError(Status.INVALID_ARGUMENT, 'BAD_TARGET', 'nothing: only a new object can be put')
  }
}

function setUp(host: MemoryHost, tamper: Omit<PairOptions, 'host'> = {}) {
  const { stream } = connectPair({ host, ...tamper })
  const transfers = createObjectTransfers({ worker: () => stream })
  const put = async (id: string, bytes: Uint8Array, xxh64?: bigint): Promise<void> => {
    const structure = { kind: undefined }
    const { byteLength } = bytes
    const object = { objectId: id, structure, mostStructureBytes: 64, segments: [bytes], byteLength, xxh64 }
    await transfers.put(['a worker'], object, session)
  }
  const get = async (id: string, byteLength = 0): Promise<Uint8Array> =>
    wholeOf((await transfers.get({ objectId: id, byteLength, holders })).bytes)
  return { put, get, close: () => stream.close() }
}

function descriptorOf(objectId: string, bytes: Uint8Array): ObjectDescriptor {
  return { objectId, structure: undefined, byteLength: BigInt(bytes.byteLength), xxh64: xxh64Of([bytes]) }
}

const bodies = new Map(Array.from({ length: 700 }, (_, k) => [`o-${k}`, bytesOf((k * 37) % 2_000, k)]))

test('many small objects that are put and got at the same time cost a few transfers, and each comes back', async () => {
  const host = new BatchHost()
  const { put, get, close } = setUp(host)
  await Promise.all([...bodies].map(([id, bytes]) => put(id, bytes)))
  const got = await Promise.all([...bodies].map(([id, bytes]) => get(id, bytes.byteLength)))
  expect(got.map(fingerprint)).toEqual([...bodies.values()].map(fingerprint))
  expect(host.opens.length).toBeLessThan(8)
  // In memory of their own: who keeps one does not keep all.
  expect(got.every((bytes) => bytes.buffer.byteLength === bytes.byteLength)).toBe(true)
  close()
})

test('a listener that knows no batches is given the objects one by one', async () => {
  const host = new OldHost()
  const { put, get, close } = setUp(host)
  await Promise.all([...bodies].slice(0, 20).map(([id, bytes]) => put(id, bytes)))
  expect(await Promise.all(['o-3', 'o-4'].map(async (id) => fingerprint(await get(id))))).toEqual(
    ['o-3', 'o-4'].map((id) => fingerprint(bodies.get(id))),
  )
  close()
})

test('of a batch, what is not held fails by itself, with its id', async () => {
  const host = new BatchHost()
  const { put, get, close } = setUp(host)
  await put('o-1', bytesOf(100))
  const [first, second] = await Promise.allSettled([get('o-1'), get('o-2')])
  expect(first).toMatchObject({ status: 'fulfilled' })
  expect(second).toMatchObject({ reason: { code: Status.NOT_FOUND, message: 'object o-2 is not here' } })
  close()
})

test('a batch whose bytes are damaged on the way is followed by its objects one by one', async () => {
  const host = new BatchHost()
  let damages = 1
  const { put, close } = setUp(host, {
    up: (frame) => {
      if (frame.$case !== 'chunk' || damages-- <= 0) return frame
      const data = Buffer.from(frame.value.data)
      data[5]! ^= 1
      return { ...frame, value: { ...frame.value, data } }
    },
  })
  await Promise.all(['o-1', 'o-2'].map((id) => put(id, bytesOf(50))))
  expect([...host.bodies.values()].map(fingerprint)).toEqual([50, 50].map((length) => fingerprint(bytesOf(length))))
  close()
})

test('a large object goes by itself, also among small ones', async () => {
  const host = new BatchHost()
  const { put, get, close } = setUp(host)
  const large = bytesOf(smallObjectBytes)
  await Promise.all([put('o-1', large), put('o-2', bytesOf(8))])
  expect(host.opens.map(({ target }) => target?.$case)).toEqual(['objectId', 'objectId'])
  expect(fingerprint(await get('o-1', large.byteLength))).toBe(fingerprint(large))
  close()
})

test('an object that changed between its digest and the batch is found, with its id', () => {
  const bytes = bytesOf(64)
  const descriptor = descriptorOf('o-9', bytes)
  bytes[3]! ^= 4
  const failure = { code: Status.DATA_LOSS, reason: 'DIGEST_MISMATCH' }
  expect(() => splitBatch([descriptor], new Uint8Array(bytes))).toThrow(expect.objectContaining(failure) as Error)
  expect(() => splitBatch([descriptor], new Uint8Array(bytes))).toThrow('object o-9')
})

test('who changes a value that is being put hears so, and the others of its batch are put all the same', async () => {
  const host = new BatchHost()
  const { put, close } = setUp(host)
  const [changed, other] = [bytesOf(64), bytesOf(32)]
  const xxh64 = xxh64Of([changed])
  changed[3]! ^= 4
  const [first, second] = await Promise.allSettled([put('o-1', changed, xxh64), put('o-2', other)])
  expect(first).toMatchObject({ reason: { code: Status.FAILED_PRECONDITION, reason: 'VALUE_CHANGED' } })
  expect((first as PromiseRejectedResult).reason).toHaveProperty('message', expect.stringContaining('object o-1'))
  expect(second.status).toBe('fulfilled')
  expect([...host.bodies.keys()]).toEqual(['object o-2'])
  close()
})

test.each([
  ['objects that do not fill the body', [10n], 11n],
  ['more bytes than a batch may have', [BigInt(batchBytes), 1n], BigInt(batchBytes + 1)],
  ['more objects than a batch may have', Array<bigint>(maxBatchObjects + 1).fill(0n), 0n],
])('%s are refused', (_, lengths, byteLength) => {
  const objects = lengths.map((length, k) => ({
    objectId: `o-${k}`,
    structure: undefined,
    byteLength: length,
    xxh64: 0n,
  }))
  expect(() => checkBatch(objects, byteLength)).toThrow(expect.objectContaining({ reason: 'BAD_BATCH' }) as Error)
})

test('a batch is joined when it may be sent, from where it is wanted', () => {
  const pieces = [bytesOf(5), bytesOf(7, 2)]
  const descriptors = pieces.map((bytes, k) => descriptorOf(`o-${k}`, bytes))
  const source = sourceOfBatch(descriptors, () => pieces)
  expect(source.header).toMatchObject({ byteLength: 12, digestAlgorithm: DigestAlgorithm.XXH64 })
  expect(Buffer.concat([...(source.read(4) as Iterable<Uint8Array>)])).toEqual(
    Buffer.concat([bytesOf(5), bytesOf(7, 2)]).subarray(4),
  )
})

test.each([
  ['in one piece', [100_000]],
  ['in several', [1, 40_000, 59_999]],
])('a batch that comes %s is taken apart into memory of its own', async (_, lengths) => {
  const parts = [bytesOf(70_001, 1), bytesOf(0), bytesOf(29_999, 2)]
  const objects = parts.map((bytes, k) => descriptorOf(`o-${k}`, bytes))
  const body = Buffer.concat(parts)
  let kept: IncomingObject[] = []
  const sink = createBatchSink({ objects, byteLength: 100_000n }, (arrived) => void (kept = arrived))
  let start = 0
  for (const length of lengths) await sink.write(body.subarray(start, (start += length)))
  expect(kept).toEqual([])
  await sink.commit(Buffer.alloc(8))
  // The transport's memory, and that of batches before, is used again.
  body.fill(0)
  await createBatchSink({ objects: [], byteLength: 100_000n }, () => undefined).write(Buffer.alloc(50_000))
  expect(kept.map(({ bytes }) => fingerprint(bytes))).toEqual(parts.map(fingerprint))
  for (const { bytes } of kept) expect([bytes.byteOffset, bytes.buffer.byteLength]).toEqual([0, bytes.byteLength])
})

test('the next batch is joined in the memory of one that is over, not of one that is under way', () => {
  const sourceOf = (seed: number) => {
    const bytes = bytesOf(80_000, seed)
    const source = sourceOfBatch([descriptorOf(`o-${seed}`, bytes)], () => [bytes])
    const [body] = [...(source.read(0) as Iterable<Buffer>)]
    return { source, body: body!, bytes }
  }
  const [first, second] = [sourceOf(1), sourceOf(2)]
  expect(second.body.buffer).not.toBe(first.body.buffer)
  first.source.close?.()
  const third = sourceOf(3)
  expect(third.body.buffer).toBe(first.body.buffer)
  expect([second, third].map(({ body }) => fingerprint(body))).toEqual(
    [second, third].map(({ bytes }) => fingerprint(bytes)),
  )
})

test.runIf(existsSync('/dev/shm'))('many full batches go through shared memory, both ways', async () => {
  const host = new BatchHost()
  let sharedBytes = 0
  const see = (frame: NonNullable<TransferFrame['frame']>): typeof frame => {
    if (frame.$case === 'chunk') sharedBytes += frame.value.shared?.byteLength ?? 0
    return frame
  }
  const { put, get, close } = setUp(host, { up: see, down: see })
  const arrays = new Map(Array.from({ length: 2_048 }, (_, k) => [`o-${k}`, bytesOf(1_024, k)]))
  for (let round = 0; round < 2; round++) {
    sharedBytes = 0
    await Promise.all([...arrays].map(([id, bytes]) => put(id, bytes)))
    const got = await Promise.all([...arrays].map(([id, bytes]) => get(id, bytes.byteLength)))
    expect(got.map(fingerprint)).toEqual([...arrays.values()].map(fingerprint))
  }
  // By the second round both ends have agreed.
  expect(sharedBytes).toBe(2 * 2_048 * 1_024)
  close()
})
