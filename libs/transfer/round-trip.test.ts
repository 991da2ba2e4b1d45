import { expect, test } from 'vitest'

import { DigestAlgorithm, Durability, type TransferOpen } from '#libs/proto'

import { chunkBytes, initialCreditBytes, maxOpenTransfers, windowBytes } from './limits.js'
import { bytesOf, connectPair, fingerprint, getBody, MemoryHost, objectOf, quiesce, sourceOf } from './pair.fixture.js'
import { sourceOfSegments } from './endpoint.js'

const lengths = [
  0,
  1,
  chunkBytes - 1,
  chunkBytes,
  chunkBytes + 1,
  initialCreditBytes,
  initialCreditBytes + 1,
  5_000_001,
  windowBytes + windowBytes / 2 + 3,
]

test.each(lengths)('a body of %i bytes arrives as it was put and as it is got', async (length) => {
  const host = new MemoryHost()
  const { stream } = connectPair({ host })
  const body = bytesOf(length)
  const receipt = await stream.put(objectOf('x'), sourceOf(body), { requestId: 'r' })
  expect(receipt).toEqual({ durability: Durability.MEMORY, version: 0n })
  expect(fingerprint(host.bodies.get('object x'))).toBe(fingerprint(body))
  expect(fingerprint(await getBody(stream, 'x'))).toBe(fingerprint(body))
  await quiesce()
  expect(host).toMatchObject({ sourcesOpen: 0, sinksOpen: 0 })
})

test('a body in pieces of odd lengths arrives whole, under SHA-256 too', async () => {
  const host = new MemoryHost()
  const { stream } = connectPair({ host })
  const body = bytesOf(chunkBytes * 2 + 1000)
  const cuts = [0, 1, 1, 9, 4096, chunkBytes + 77, body.byteLength]
  const segments = cuts.slice(1).map((end, i) => body.subarray(cuts[i], end))
  const header = { byteLength: body.byteLength, digestAlgorithm: DigestAlgorithm.SHA256 }
  await stream.put(objectOf('x'), sourceOfSegments(header, segments), { requestId: 'r' })
  expect(fingerprint(host.bodies.get('object x'))).toBe(fingerprint(body))
})

test('more transfers than one stream has open at a time all get through', async () => {
  const host = new MemoryHost()
  const { stream } = connectPair({ host })
  const ids = Array.from({ length: 3 * maxOpenTransfers }, (_, i) => `o${i}`)
  await Promise.all(ids.map((id, i) => stream.put(objectOf(id), sourceOf(bytesOf(100 + i, i)), { requestId: id })))
  const got = await Promise.all(ids.map((id) => getBody(stream, id)))
  expect(got.map(fingerprint)).toEqual(ids.map((_, i) => fingerprint(bytesOf(100 + i, i))))
  await quiesce()
  expect(host).toMatchObject({ sourcesOpen: 0, sinksOpen: 0 })
})

test('gets and puts of several megabytes run beside each other on one stream', async () => {
  const host = new MemoryHost()
  const { stream } = connectPair({ host })
  const bodies = [1, 2, 3, 4].map((seed) => bytesOf(4_000_000 + seed, seed))
  bodies.slice(0, 2).forEach((body, i) => host.bodies.set(`object stored-${i}`, body))
  const [first, second] = await Promise.all([
    getBody(stream, 'stored-0'),
    getBody(stream, 'stored-1'),
    stream.put(objectOf('new-2'), sourceOf(bodies[2]!), { requestId: 'r2' }),
    stream.put(objectOf('new-3'), sourceOf(bodies[3]!), { requestId: 'r3' }),
  ])
  const arrived = [first, second, host.bodies.get('object new-2'), host.bodies.get('object new-3')]
  expect(arrived.map(fingerprint)).toEqual(bodies.map(fingerprint))
})

test('the open carries who asks: request id, session and trace', async () => {
  const host = new MemoryHost()
  const { stream } = connectPair({ host })
  const trace = { traceparent: '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01' }
  await stream.put(objectOf('x'), sourceOf(bytesOf(1)), { requestId: 'r', sessionId: 's', trace })
  await getBody(stream, 'x', { trace })
  const [put, get] = host.opens as [TransferOpen, TransferOpen]
  expect(put).toMatchObject({ requestId: 'r', sessionId: 's', trace: new Map(Object.entries(trace)) })
  expect(get.trace).toEqual(new Map(Object.entries(trace)))
})

test('a body that the listener already has is acknowledged without being sent', async () => {
  const host = new MemoryHost()
  host.openSink = async () => ({ durability: Durability.FSYNCED, version: 4n })
  let chunks = 0
  const { stream } = connectPair({
    host,
    up: (frame) => {
      if (frame.$case === 'chunk') chunks++
      return frame
    },
  })
  const body = bytesOf(50 * chunkBytes)
  const receipt = await stream.put(objectOf('x'), sourceOf(body), { requestId: 'r' })
  expect(receipt).toEqual({ durability: Durability.FSYNCED, version: 4n })
  expect(chunks).toBeLessThanOrEqual(Math.ceil(initialCreditBytes / chunkBytes))
})
