import { randomUUID } from 'node:crypto'

import { Status } from 'nice-grpc-common'
import { expect, test } from 'vitest'

import type { ObjectId } from '#libs/domain'
import {
  DigestAlgorithm,
  ElementType,
  type ObjectDescriptor,
  ObjectsStored,
  TransferHeader,
  TransferOpen,
} from '#libs/proto'
import { takeFrame } from '#libs/rpc'
import { batchBytes, type Source, xxh64Of } from '#libs/transfer'

import { createAnnouncements } from './announcements.js'
import { createObjectBatches } from './object-batches.js'
import { memoryPolicyOf } from './memory-policy.js'
import { createMemoryRoom } from './memory-room.js'
import { createObjectStore } from './object-store.js'
import { openSpillLab } from './spilling.fixture.js'
import { readBody } from './stored-body.js'

const session = randomUUID()

function setUp(memoryLimitBytes = 0, store = createObjectStore()) {
  const said: ObjectsStored[] = []
  const announcements = createAnnouncements(
    (report) => said.push(report) > 0,
    () => true,
  )
  const policy = memoryPolicyOf(memoryLimitBytes, 0.6)
  const batches = createObjectBatches(
    store,
    announcements.announce,
    createMemoryRoom(store, policy, () => 0),
  )
  const put = async (
    arrays: ReadonlyMap<string, Float64Array>,
    change: Partial<ObjectDescriptor> = {},
  ): Promise<void> => {
    const bodies = [...arrays.values()].map(({ buffer }) => new Uint8Array(buffer))
    const byteLength = bodies.reduce((sum, body) => sum + body.byteLength, 0)
    // As the transport has it: in memory that is used again once it is given back.
    const bytes = takeFrame(byteLength)
    bodies.reduce((at, body) => (bytes.set(body, at), at + body.byteLength), 0)
    const header = {
      ...TransferHeader.fromPartial({}),
      byteLength: BigInt(bytes.byteLength),
      digestAlgorithm: DigestAlgorithm.XXH64,
      objects: [...arrays].map(([id, array]) => ({ ...descriptorOf(id, array), ...change })),
    }
    const sink = batches.openSink({ ...TransferOpen.fromPartial({}), sessionId: session }, header)
    await sink.write(bytes)
    const committed = sink.commit(Buffer.alloc(8))
    committed.catch(() => undefined)
    await new Promise((resolve) => setImmediate(resolve))
    for (const { requestId } of said) announcements.acknowledge(requestId)
    await committed
  }
  return { store, said, put, batches }
}

function descriptorOf(objectId: string, array: Float64Array): ObjectDescriptor {
  const byteLength = BigInt(array.byteLength)
  const tensor = { elementType: ElementType.FLOAT64, shape: [BigInt(array.length)], offset: 0n, byteLength }
  const structure = { kind: { $case: 'tensor', value: tensor } } as const
  return { objectId, structure, byteLength, xxh64: xxh64Of([new Uint8Array(array.buffer)]) }
}

const newId = (): string => `o-${randomUUID()}`
const idsIn = ({ header }: Source): string[] => (header.objects ?? []).map(({ objectId }) => objectId)

test('a batch is one report to the scheduler, for the session that put it', async () => {
  const { said, put, store } = setUp()
  const arrays = new Map([1, 2, 3].map((k) => [newId(), Float64Array.of(k)]))
  await put(arrays)
  expect(said.map(({ sessionId, objects }) => [sessionId, objects.length])).toEqual([[session, 3]])
  expect(
    [...store.values()].map((object) => object.place === 'memory' && new Float64Array(object.bytes.buffer)[0]),
  ).toEqual([...[1, 2, 3]])
})

test('a batch that was stored is stored again without a change: its receipt may have been lost', async () => {
  const { put, store } = setUp()
  const arrays = new Map([[newId(), Float64Array.of(1)]])
  await put(arrays)
  await put(arrays)
  expect([...store.values()]).toHaveLength(1)
})

test('a batch with another value for a known object is refused whole', async () => {
  const { put, store } = setUp()
  const id = newId()
  await put(new Map([[id, Float64Array.of(1)]]))
  const again = put(
    new Map([
      [newId(), Float64Array.of(5)],
      [id, Float64Array.of(2)],
    ]),
  )
  await expect(again).rejects.toMatchObject({ code: Status.ALREADY_EXISTS, reason: 'OBJECT_EXISTS' })
  expect([...store.values()]).toHaveLength(1)
})

test.each([
  ['an id that is a result', { objectId: 'j-1/0' }, 'BAD_TARGET'],
  ['a structure that does not fit its bytes', { structure: undefined }, 'BAD_STRUCTURE'],
  ['a length that does not fill the body', { byteLength: 16n }, 'BAD_BATCH'],
])('%s is refused', async (_, change, reason) => {
  const { put } = setUp()
  const putting = put(new Map([[newId(), Float64Array.of(1)]]), change)
  await expect(putting).rejects.toMatchObject({ code: Status.INVALID_ARGUMENT, reason })
})

test('a batch that leads the worker over its memory limit is refused', async () => {
  const { put } = setUp(20)
  const arrays = new Map([newId(), newId(), newId()].map((id) => [id, Float64Array.of(1)]))
  await expect(put(arrays)).rejects.toMatchObject({ code: Status.RESOURCE_EXHAUSTED, reason: 'NO_MEMORY' })
})

test('of what is asked for, a batch has what is held and fits, in the order of asking, each once', () => {
  const { batches, store } = setUp()
  const keep = (id: string, byteLength: number): void =>
    void store.keep({ objectId: id as ObjectId, structure: undefined, bytes: new Uint8Array(byteLength) })
  keep('a', 8)
  keep('b', batchBytes - 16)
  keep('c', 16)
  keep('d', 8)
  expect(idsIn(batches.openSource(['d', 'gone', 'b', 'c', 'a', 'd']))).toEqual(['d', 'b', 'a'])
  expect(idsIn(batches.openSource([]))).toEqual([])
})

test('what is read for somebody is what it was, though it is released meanwhile and its memory used again', async () => {
  const { put, store, batches } = setUp()
  const ids = Array.from({ length: 100 }, newId)
  // Long enough that frames have memory which is used again.
  const arrays = new Map(ids.map((id, k) => [id, new Float64Array(100).fill(k)]))
  await put(arrays)
  const source = batches.openSource(ids)
  for (const id of ids) store.release(id as ObjectId)
  expect(store.heldBytes).toBe(0)
  await put(new Map(Array.from({ length: 100 }, () => [newId(), new Float64Array(100).fill(-1)])))
  const sent = Buffer.concat([...(source.read(0) as Iterable<Uint8Array>)])
  expect(sent.equals(Buffer.concat([...arrays.values()].map(({ buffer }) => Buffer.from(buffer))))).toBe(true)
  source.close?.()
})

test('objects of a batch are what they were when the first of them is spilled before the last one is kept', async () => {
  // As while memory is nearly full: nothing of it is for objects.
  await using lab = await openSpillLab(0)
  const { put } = setUp(0, lab.store)
  const arrays = new Map(Array.from({ length: 100 }, (_, k) => [newId(), new Float64Array(100).fill(k)]))
  await put(arrays)
  await put(new Map(Array.from({ length: 100 }, () => [newId(), new Float64Array(100).fill(-1)])))
  await lab.spilling.rest()
  const kept = await Promise.all(
    [...arrays.keys()].map(async (id) => await readBody(lab.store, lab.store.get(id as ObjectId)!)),
  )
  expect(kept.map(({ buffer, byteOffset }) => new Float64Array(buffer, byteOffset, 100)[0])).toEqual(
    Array.from({ length: 100 }, (_, k) => k),
  )
})
