import { randomUUID } from 'node:crypto'
import { mkdtemp } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'

import { Status } from 'nice-grpc-common'
import { afterEach, beforeAll, beforeEach, expect, test, vi } from 'vitest'

import { wholeOf } from '#libs/memory'
import { createMeshSecurity, createRpcServer, loadSecurity, rpcError, type Security } from '#libs/rpc'

import { CutPuts } from './cut-puts.js'
import { damageWay, type DamagingProxy } from './damage.fixture.js'
import { transferDefinition } from './definition.js'
import { getFromHolders, putUntilWhole } from './holders.js'
import { windowBytes } from './limits.js'
import { bytesOf, connectPair, fingerprint, MemoryHost, objectOf, sourceOf } from './pair.fixture.js'
import { createTransferPool, type TransferPeer, type TransferPool } from './pool.js'
import { serveTransfers } from './serve.js'
import { TransferError } from './transfer-error.js'

// What is damaged here are the frames: nothing may go around them.
beforeEach(() => void vi.stubEnv('COSTATE_SHARED_MEMORY', 'off'))

const body = bytesOf(3_000_003)
/** In the middle of the third chunk, whatever the frames around it take. */
const middle = 1_300_000

let security: Security
let pool: TransferPool
const closers: (() => unknown)[] = []

beforeAll(async () => {
  const folder = await mkdtemp(path.join(tmpdir(), 'costate-holders-'))
  await createMeshSecurity(folder)
  security = await loadSecurity(folder, 'worker')
})

afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close()
})

/** A worker's transfer service; `x` is in its memory unless told otherwise. */
async function startHolder(host = new MemoryHost(), held: Uint8Array | null = body): Promise<string> {
  if (held !== null) host.bodies.set('object x', held)
  const server = createRpcServer({ security, windowBytes: 8 * 2 ** 20 })
  server.add(
    transferDefinition,
    {
      transfer: (requests) =>
        serveTransfers(requests, host, 'the worker', (reason, message) =>
          rpcError('FAILED_PRECONDITION', reason, message),
        ),
    },
    { transfer: ['worker'] },
  )
  closers.push(() => server.shutdown(0))
  pool = createTransferPool(security)
  closers.push(() => pool.close())
  return await server.listen('127.0.0.1:0')
}

async function damaged(address: string, damage: Parameters<typeof damageWay>[1]): Promise<DamagingProxy> {
  const proxy = await damageWay(address, damage)
  closers.push(() => proxy.close())
  return proxy
}

const holdersAt = (...addresses: string[]): { addresses: string[] }[] => addresses.map((one) => ({ addresses: [one] }))

test('a bit that flips on the wire is found, and the object is got again', async () => {
  const host = new MemoryHost()
  const way = await damaged(await startHolder(host), { direction: 'down', afterBytes: middle, times: 1, by: 'flip' })
  const { bytes } = await getFromHolders(pool, 'x', holdersAt(way.address))
  expect(fingerprint(wholeOf(bytes))).toBe(fingerprint(body))
  expect(way.damages).toBe(1)
  expect(host.opens).toHaveLength(2)
})

test('another holder is asked when what one sends is damaged', async () => {
  const [first, second] = [new MemoryHost(), new MemoryHost()]
  const other = await startHolder(second)
  const way = await damaged(await startHolder(first), { direction: 'down', afterBytes: middle, times: 9, by: 'flip' })
  const { bytes } = await getFromHolders(pool, 'x', holdersAt(way.address, other))
  expect(fingerprint(wholeOf(bytes))).toBe(fingerprint(body))
  expect([first.opens.length, second.opens.length]).toEqual([1, 1])
})

test('bytes that are damaged each time are DATA_LOSS with the object, and never delivered', async () => {
  const host = new MemoryHost()
  await startHolder(host)
  let gets = 0
  const rotten = {
    worker: () => ({
      put: () => Promise.reject(new Error('nobody puts')),
      get: connectRotten(host, () => gets++),
    }),
  }
  await expect(getFromHolders(rotten, 'x', holdersAt('anywhere'))).rejects.toMatchObject({
    code: Status.DATA_LOSS,
    reason: 'DIGEST_MISMATCH',
    message: expect.stringContaining('object x') as string,
  })
  expect(gets).toBe(3)
  expect(host.sourcesOpen).toBe(0)
})

/** Gets over a stream on which the commit names another digest. */
function connectRotten(host: MemoryHost, count: () => void): TransferPeer['get'] {
  const { stream } = connectPair({
    host,
    down: (frame) => (frame.$case === 'commit' ? { $case: 'commit', value: { digest: Buffer.alloc(8) } } : frame),
  })
  return (...args) => {
    count()
    return stream.get(...args)
  }
}

test('a holder that dies in the middle is followed by the next', async () => {
  const [first, second] = [new MemoryHost(), new MemoryHost()]
  const other = await startHolder(second)
  const dying = await startHolder(first)
  const way = await damaged(dying, { direction: 'down', afterBytes: middle, times: 1, by: 'cut' })
  const openSource = first.openSource.bind(first)
  let opened = 0
  first.openSource = async (open) => {
    if (++opened > 1) throw rpcError('NOT_FOUND', 'OBJECT_NOT_FOUND', 'a new worker at the same address holds nothing')
    return await openSource(open)
  }
  const { bytes } = await getFromHolders(pool, 'x', holdersAt(way.address, other))
  expect(fingerprint(wholeOf(bytes))).toBe(fingerprint(body))
  expect(second.opens.map(({ offset }) => offset)).toEqual([0n])
})

test('an object that nobody holds is said to be unavailable, with its id', async () => {
  const address = await startHolder(new MemoryHost(), null)
  await expect(getFromHolders(pool, 'x', holdersAt(address))).rejects.toMatchObject({
    code: Status.NOT_FOUND,
    message: expect.stringContaining('object x') as string,
  })
  await expect(getFromHolders(pool, 'x', [])).rejects.toThrow('no worker holds object x')
})

test('a put whose bytes flip on the wire is put again, and only whole bodies are kept', async () => {
  const host = new MemoryHost()
  const address = await startHolder(host, null)
  const way = await damaged(address, { direction: 'up', afterBytes: middle, times: 1, by: 'flip' })
  const worker = pool.worker([way.address])
  await putUntilWhole(() => worker.put(objectOf('new'), sourceOf(body), { requestId: 'r' }))
  expect(fingerprint(host.bodies.get('object new'))).toBe(fingerprint(body))
  expect(way.damages).toBe(1)
  expect(host).toMatchObject({ sinksOpen: 0 })
})

test('a put whose connection is cut in the middle goes on with the next one', async () => {
  const host = new MemoryHost()
  host.cutPuts = new CutPuts({ mostBytes: 2 ** 30, keepMs: 60_000 })
  const long = bytesOf(40_000_003)
  const cutAt = 30_000_000
  const way = await damaged(await startHolder(host, null), { direction: 'up', afterBytes: cutAt, times: 1, by: 'cut' })
  const peer = pool.worker([way.address])
  await peer.put(objectOf('new'), sourceOf(long), { requestId: randomUUID() })
  expect(fingerprint(host.bodies.get('object new'))).toBe(fingerprint(long))
  expect([way.damages, host.opens.length, host.sinksOpen]).toEqual([1, 1, 0])
  // Sent twice is at most what was on the way; from the start it would be 30 MB.
  expect(way.passedBytes - long.byteLength).toBeLessThan(windowBytes)
})

test('a put that is damaged each time is given up with DATA_LOSS', async () => {
  let puts = 0
  const put = putUntilWhole(async () => {
    puts++
    throw new TransferError(Status.DATA_LOSS, 'CHUNK_CORRUPT', 'object new: the chunk at 0 is not what was sent')
  })
  await expect(put).rejects.toMatchObject({
    code: Status.DATA_LOSS,
    message: expect.stringContaining('object new') as string,
  })
  expect(puts).toBe(3)
})
