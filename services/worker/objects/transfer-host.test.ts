import { randomUUID } from 'node:crypto'

import { Status } from 'nice-grpc-common'
import { expect, test } from 'vitest'

import {
  type ObjectsStored,
  type Tensor,
  TransferDirection,
  TransferHeader,
  type TransferOpen,
  type TransferReceipt,
} from '#libs/proto'
import { DigestAlgorithm, ElementType } from '#libs/proto'
import { type Sink, xxh64Of } from '#libs/transfer'

import { createAnnouncements } from './announcements.js'
import { createArrivals } from './arrivals.js'
import { createObjectStore } from './object-store.js'
import { createPutSinks } from './put-sinks.js'
import { createTransferHost } from './transfer-host.js'

const numbers = new Uint8Array(Float64Array.of(1, 2).buffer)

function setUp() {
  const store = createObjectStore()
  const said: ObjectsStored[] = []
  const announcements = createAnnouncements(
    (report) => said.push(report) > 0,
    () => true,
  )
  const room = { limitBytes: 0, has: () => true }
  const arrivals = createArrivals()
  const sinks = createPutSinks(store, arrivals, room, undefined)
  const fetches = { fetch: () => Promise.reject(new Error('nobody is told to fetch')) }
  const host = createTransferHost(store, arrivals, sinks, fetches, announcements.announce, room)
  const put = async (options: {
    id: string
    request?: string
    session?: string
    bytes?: Uint8Array
    change?: Partial<Tensor>
  }) => {
    const { id, request = '', session = '', bytes = numbers, change = {} } = options
    const open: TransferOpen = {
      direction: TransferDirection.PUT,
      target: { $case: 'objectId', value: id },
      requestId: request,
      sessionId: session,
      offset: 0n,
      resumes: false,
      awaits: false,
      sources: [],
      trace: new Map(),
    }
    const place = await host.openSink(open, headerOf(bytes, change))
    if (!('write' in place)) return place
    await place.write(bytes)
    return await commit(place, bytes)
  }
  /** The scheduler hears and acknowledges every report. */
  const acknowledgeAll = (): void => {
    for (const { requestId } of said) announcements.acknowledge(requestId)
  }
  return { store, said, put, acknowledgeAll }
}

function headerOf(bytes: Uint8Array, change: Partial<Tensor>): TransferHeader {
  const tensor = {
    elementType: ElementType.FLOAT64,
    shape: [BigInt(bytes.byteLength / 8)],
    offset: 0n,
    byteLength: BigInt(bytes.byteLength),
    ...change,
  }
  return {
    ...TransferHeader.fromPartial({}),
    structure: { kind: { $case: 'tensor', value: tensor } },
    byteLength: BigInt(bytes.byteLength),
    digestAlgorithm: DigestAlgorithm.XXH64,
  }
}

async function commit(sink: Sink, bytes: Uint8Array): Promise<TransferReceipt> {
  const digest = Buffer.alloc(8)
  digest.writeBigUInt64BE(xxh64Of([bytes]))
  return await sink.commit(digest)
}

const newId = (): string => `o-${randomUUID()}`
const quiet = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))

test('puts of the same object under one request id, at the same time, all get their receipt', async () => {
  const { put, said, acknowledgeAll } = setUp()
  const [id, request] = [newId(), randomUUID()]
  const puts = [1, 2, 3].map(() => put({ id, request }))
  await quiet()
  expect(said).toHaveLength(1)
  acknowledgeAll()
  expect(await Promise.all(puts)).toHaveLength(3)
})

test('the same object again gets a receipt, with or without the request id of the first time', async () => {
  const { put, said, acknowledgeAll, store } = setUp()
  const [id, request] = [newId(), randomUUID()]
  for (const again of [{ request }, { request }, {}]) {
    const putting = put({ id, ...again })
    await quiet()
    acknowledgeAll()
    await putting
  }
  expect(said.every(({ objects }) => objects[0]?.objectId === id)).toBe(true)
  expect([...store.values()]).toHaveLength(1)
})

test.each([
  ['other bytes of the same length', new Uint8Array(Float64Array.of(1, 3).buffer)],
  ['other bytes of another length', new Uint8Array(Float64Array.of(1).buffer)],
])('a known object with %s is refused, and stays as it is', async (_, bytes) => {
  const { put, acknowledgeAll, store } = setUp()
  const id = newId()
  const first = put({ id })
  await quiet()
  acknowledgeAll()
  await first
  await expect(put({ id, bytes })).rejects.toMatchObject({ code: Status.ALREADY_EXISTS, reason: 'OBJECT_EXISTS' })
  expect(store.get(id as never)).toMatchObject({ bytes: numbers })
})

test('a request id that was used for another object is refused', async () => {
  const { put, acknowledgeAll } = setUp()
  const request = randomUUID()
  const first = put({ id: newId(), request })
  await quiet()
  acknowledgeAll()
  await first
  const refusal = { code: Status.INVALID_ARGUMENT, reason: 'REQUEST_ID_REUSED' }
  await expect(put({ id: newId(), request: request.toUpperCase() })).rejects.toMatchObject(refusal)
})

test.each([
  [{ request: 'again' }, 'BAD_REQUEST_ID'],
  [{ session: 'mine' }, 'BAD_SESSION_ID'],
])('ids that are no UUIDs are refused: %j', async (ids, reason) => {
  const { put } = setUp()
  await expect(put({ id: newId(), ...ids })).rejects.toMatchObject({ code: Status.INVALID_ARGUMENT, reason })
})

test.each<[string, Partial<Tensor>]>([
  ['a shape that does not multiply to the bytes', { shape: [3n] }],
  ['an element type that makes them more', { elementType: ElementType.COMPLEX128 }],
  ['no element type', { elementType: ElementType.UNSPECIFIED }],
  ['a shape that overflows', { shape: [2n ** 40n, 2n ** 40n] }],
  ['bytes that lie behind the end of the body', { offset: 8n }],
  ['more bytes than the body has', { shape: [4n], byteLength: 32n }],
  ['a start that no array of its type can have', { offset: 4n, shape: [1n], byteLength: 8n }],
])('a put of %s is refused with the object’s id, before it has a place', async (_, change) => {
  const { put, store } = setUp()
  const id = newId()
  await expect(put({ id, change })).rejects.toMatchObject({
    code: Status.INVALID_ARGUMENT,
    reason: 'BAD_STRUCTURE',
    message: expect.stringContaining(id) as string,
  })
  expect([...store.values()]).toEqual([])
})
