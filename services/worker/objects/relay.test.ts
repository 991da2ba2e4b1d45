import { randomUUID } from 'node:crypto'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'

import { Status } from 'nice-grpc-common'
import { afterAll, afterEach, beforeAll, beforeEach, expect, test, vi } from 'vitest'

import type { ObjectId } from '#libs/domain'
import { wholeOf } from '#libs/memory'
import { DigestAlgorithm, type ObjectDescriptor, TransferDirection, type TransferOpen } from '#libs/proto'
import { createMeshSecurity, createRpcServer, loadSecurity, rpcError, type Security } from '#libs/rpc'
import {
  createTransferPool,
  offerSharedBody,
  serveTransfers,
  type Source,
  transferDefinition,
  type TransferHost,
  type TransferPool,
  xxh64Bytes,
  xxh64Of,
} from '#libs/transfer'

import { createMemoryRoom } from './memory-room.js'
import { memoryPolicyOf } from './memory-policy.js'
import { createObjectHost, type ObjectHost } from './object-host.js'
import { createObjectStore, type ObjectStore } from './object-store.js'
import { bytesValue } from './spilling.fixture.js'

const body = Buffer.from(Float64Array.from({ length: 700_000 }, (_, k) => Math.sin(k)).buffer)
const half = 3_000_000

let folder: string
let security: Security
let pool: TransferPool
const closers: (() => unknown)[] = []

beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'costate-relay-'))
  await createMeshSecurity(folder)
  security = await loadSecurity(folder, 'worker')
})

afterAll(async () => {
  await rm(folder, { recursive: true, force: true })
})

beforeEach(() => {
  // What is seen here are the frames.
  vi.stubEnv('COSTATE_SHARED_MEMORY', 'off')
  pool = createTransferPool(security)
  closers.push(() => pool.close())
})

afterEach(async () => {
  vi.unstubAllEnvs()
  for (const close of closers.splice(0).reverse()) await close()
})

interface Served {
  readonly addresses: string[]
  /** Ends it as a crash would. */
  die(): Promise<unknown>
}

async function serve(host: TransferHost): Promise<Served> {
  const server = createRpcServer({ security, windowBytes: 8 * 2 ** 20 })
  const refuse = (reason: string, message: string): Error => rpcError('FAILED_PRECONDITION', reason, message)
  const methods = {
    transfer: (requests: Parameters<typeof serveTransfers>[0]) => serveTransfers(requests, host, 'a worker', refuse),
  }
  server.add(transferDefinition, methods, { transfer: ['worker'] })
  const die = (): Promise<unknown> => server.shutdown(0)
  closers.push(die)
  return { addresses: [await server.listen('127.0.0.1:0')], die }
}

interface TestWorker extends ObjectHost, Served {
  readonly store: ObjectStore
  readonly announced: ObjectDescriptor[]
}

async function startWorker(isOrdered: (objectId: ObjectId) => boolean = () => false): Promise<TestWorker> {
  const store = createObjectStore()
  const announced: ObjectDescriptor[] = []
  const room = createMemoryRoom(store, memoryPolicyOf(0, 0.6), () => 0)
  const announce = async ({ objects }: { objects: ObjectDescriptor[] }): Promise<void> =>
    void announced.push(...objects)
  const own = createTransferPool(security)
  closers.push(() => own.close())
  const objects = createObjectHost({ store, room, folder: undefined }, own, announce, isOrdered)
  return { ...objects, ...(await serve(objects.host)), store, announced }
}

const header = {
  structure: bytesValue(body.byteLength),
  byteLength: body.byteLength,
  digestAlgorithm: DigestAlgorithm.XXH64,
}

/** Somebody who has the body, sends half of it, and the rest when he is told to. */
async function startSource(digest = xxh64Bytes(xxh64Of([body]))) {
  let goOn!: () => void
  const isToldTo = new Promise<void>((resolve) => (goOn = resolve))
  const opens: TransferOpen[] = []
  const host: TransferHost = {
    openSource: async (open) => {
      opens.push(open)
      return { header, digest, read: readFrom } satisfies Source
    },
    openSink: () => Promise.reject(new Error('nothing is put here')),
  }
  async function* readFrom(offset: number): AsyncGenerator<Uint8Array, void> {
    if (offset < half) yield body.subarray(offset, half)
    await isToldTo
    yield body.subarray(Math.max(offset, half))
  }
  return { ...(await serve(host)), opens, goOn }
}

const newId = (): ObjectId => `o-${randomUUID()}` as ObjectId

function tellToFetch(to: Served, objectId: ObjectId, sources: readonly Served[]): Promise<unknown> {
  const named = sources.map(({ addresses }) => ({ addresses, shared: undefined }))
  const fetching = pool
    .worker(to.addresses)
    .fetch({ $case: 'objectId', value: objectId }, named, { requestId: randomUUID() })
  fetching.catch(() => undefined)
  return fetching
}

function openOf(objectId: ObjectId): TransferOpen {
  const target = { $case: 'objectId' as const, value: objectId }
  const rest = {
    requestId: '',
    sessionId: '',
    offset: 0n,
    resumes: false,
    sources: [],
    trace: new Map<string, string>(),
  }
  return { direction: TransferDirection.GET, target, awaits: true, ...rest }
}

/** Resolves when the worker has so much of what is arriving there. */
async function untilArrived(worker: TestWorker, objectId: ObjectId, byteLength: number): Promise<void> {
  const source = await worker.host.openSource(openOf(objectId))
  await source.arriving?.until(byteLength - 1)
}

const bytesIn = ({ store }: TestWorker, objectId: ObjectId): boolean | undefined => {
  const held = store.get(objectId)
  return held?.place === 'memory' ? body.equals(wholeOf(held.bytes)) : undefined
}

test('a body passes along a chain while it comes, and each end of it is announced', async () => {
  const [source, a, b, c] = [await startSource(), await startWorker(), await startWorker(), await startWorker()]
  const id = newId()
  // The last of the chain asks first: it waits for those before it.
  const all = [tellToFetch(c, id, [b, a, source]), tellToFetch(b, id, [a, source]), tellToFetch(a, id, [source])]
  await untilArrived(c, id, half)
  expect([a, b, c].map((worker) => worker.announced.length)).toEqual([0, 0, 0])
  source.goOn()
  await Promise.all(all)
  expect([a, b, c].map((worker) => [bytesIn(worker, id), worker.announced.length])).toEqual(Array(3).fill([true, 1]))
  // It left where it was only once.
  expect(source.opens).toHaveLength(1)
})

test('a relay that dies is replaced by the one before it, which goes on where the relay was', async () => {
  const [source, a, b] = [await startSource(), await startWorker(), await startWorker()]
  const id = newId()
  void tellToFetch(a, id, [source])
  const fetched = tellToFetch(b, id, [a, source])
  await untilArrived(b, id, half)
  await a.die()
  source.goOn()
  await fetched
  expect(bytesIn(b, id)).toBe(true)
  expect(source.opens.map(({ offset }) => Number(offset))).toEqual([0, half])
})

test('what came to a relay damaged is kept by nobody, and got from somebody else', async () => {
  const [rotten, whole] = [await startSource(Buffer.alloc(8)), await startSource()]
  const [a, b] = [await startWorker(), await startWorker()]
  const id = newId()
  const damaged = tellToFetch(a, id, [rotten])
  const fetched = tellToFetch(b, id, [a, whole])
  await untilArrived(b, id, half)
  rotten.goOn()
  whole.goOn()
  await expect(damaged).rejects.toMatchObject({ code: Status.DATA_LOSS, reason: 'DIGEST_MISMATCH' })
  await fetched
  expect([bytesIn(a, id), bytesIn(b, id)]).toEqual([undefined, true])
})

test('when nobody has it that is named, that is said with the object, and who waits for it here hears so', async () => {
  const [a, b] = [await startWorker(), await startWorker()]
  await a.die()
  const id = newId()
  const waiting = b.host.openSource(openOf(id))
  waiting.catch(() => undefined)
  const refusal = { code: Status.UNAVAILABLE, reason: 'NO_SOURCE', message: expect.stringContaining(id) as string }
  await expect(tellToFetch(b, id, [a])).rejects.toMatchObject(refusal)
  await expect(waiting).rejects.toMatchObject({ code: Status.UNAVAILABLE, reason: 'NOT_COMING' })
  // Who comes a moment later need not wait for it either.
  await expect(b.host.openSource(openOf(id))).rejects.toMatchObject({ reason: 'NOT_COMING' })
  expect([...b.store.values()]).toEqual([])
})

test('who shares the host reads a body that lies in shared memory; one that is not what was offered is got elsewhere', async () => {
  vi.stubEnv('COSTATE_SHARED_MEMORY', 'on')
  const [source, a, b] = [await startSource(), await startWorker(), await startWorker()]
  source.goOn()
  const tell = async (to: Served, digest: Buffer): Promise<ObjectId> => {
    const id = newId()
    const offered = await offerSharedBody(header, [body], digest)
    if (offered === undefined) throw new Error('there is no shared memory on this machine')
    const sources = [
      { addresses: [], shared: offered.shared },
      { addresses: source.addresses, shared: undefined },
    ]
    await pool.worker(to.addresses).fetch({ $case: 'objectId', value: id }, sources, { requestId: randomUUID() })
    offered.close()
    return id
  }
  expect(bytesIn(a, await tell(a, xxh64Bytes(xxh64Of([body]))))).toBe(true)
  expect(source.opens).toHaveLength(0)
  expect(bytesIn(b, await tell(b, Buffer.alloc(8)))).toBe(true)
  expect(source.opens).toHaveLength(1)
})

test('a result is copied unless it is made here, and a copy goes when it is to be made here', async () => {
  let isOrdered = true
  const [source, a] = [await startSource(), await startWorker(() => isOrdered)]
  source.goOn()
  const id = 'j/0' as ObjectId
  await expect(tellToFetch(a, id, [source])).rejects.toMatchObject({ code: Status.ABORTED, reason: 'OBJECT_GIVEN_UP' })
  isOrdered = false
  await tellToFetch(a, id, [source])
  expect(bytesIn(a, id)).toBe(true)
  a.fetches.dropCopy(id)
  expect(bytesIn(a, id)).toBeUndefined()
})
