import { Status } from 'nice-grpc-common'
import { expect, test } from 'vitest'

import { makeHello, protocolVersion, TransferDirection, type TransferFrame } from '#libs/proto'
import { rpcError } from '#libs/rpc'

import type { Source } from './endpoint.js'
import type { FrameMessage } from './frame-codec.js'
import { chunkBytes, outboxLimit, refusedOpenTransfers, windowBytes } from './limits.js'
import { Outbox } from './outbox.js'
import {
  bytesOf,
  collect,
  connectPair,
  getBody,
  MemoryHost,
  memoryReceipt,
  objectOf,
  quiesce,
  sourceOf,
} from './pair.fixture.js'
import { serveTransfers } from './serve.js'

const large = bytesOf(2 * windowBytes)

/** A source that counts how often it was closed and stops after its first pieces until it is told to go on. */
function stallingSource(): { source: Source; closed: () => number } {
  let closed = 0
  const read = async function* (): AsyncGenerator<Uint8Array> {
    yield large.subarray(0, chunkBytes)
    await new Promise<never>(() => undefined)
  }
  return { source: { ...sourceOf(large), read, close: () => closed++ }, closed: () => closed }
}

/** A listener on a stream that the test speaks itself. */
function serveByHand(host: MemoryHost) {
  const requests = new Outbox<FrameMessage>()
  const responses = serveTransfers(requests, host, 'the store', (reason, message) =>
    rpcError('FAILED_PRECONDITION', reason, message),
  )
  const say = (transferId: number, frame: NonNullable<TransferFrame['frame']>): void =>
    requests.push({ frame: { transferId, frame } })
  const open = (transferId: number, direction: TransferDirection, id: string): void => {
    const rest = {
      requestId: '',
      sessionId: '',
      offset: 0n,
      resumes: false,
      awaits: false,
      sources: [],
      trace: new Map<string, string>(),
    }
    say(transferId, { $case: 'open', value: { direction, target: objectOf(id), ...rest } })
  }
  say(0, { $case: 'hello', value: makeHello() })
  return { requests, responses, say, open }
}

test('a cancelled get frees what the other end holds, and the stream goes on', async () => {
  const host = new MemoryHost()
  host.bodies.set('object large', large).set('object small', bytesOf(10))
  const { stream } = connectPair({ host })
  const controller = new AbortController()
  const get = stream.get(
    objectOf('large'),
    () => {
      controller.abort()
      return { write: () => undefined, commit: async () => memoryReceipt, abort: () => undefined }
    },
    { signal: controller.signal },
  )
  await expect(get).rejects.toMatchObject({ code: Status.CANCELLED, message: 'object large: cancelled here' })
  await quiesce()
  expect(host.sourcesOpen).toBe(0)
  expect(await getBody(stream, 'small')).toHaveLength(10)
})

test('a cancelled put closes its source at once, also one that hangs, and frees the sink', async () => {
  const host = new MemoryHost()
  const { stream } = connectPair({ host })
  const { source, closed } = stallingSource()
  const controller = new AbortController()
  const put = stream.put(objectOf('large'), source, { requestId: 'r', signal: controller.signal })
  await quiesce()
  expect(host.sinksOpen).toBe(1)
  controller.abort()
  await expect(put).rejects.toMatchObject({ code: Status.CANCELLED })
  await quiesce()
  expect(closed()).toBe(1)
  expect(host).toMatchObject({ sinksOpen: 0, sourcesOpen: 0 })
})

test('who is cancelled before the start opens nothing', async () => {
  const host = new MemoryHost()
  const { stream } = connectPair({ host })
  const { source, closed } = stallingSource()
  const signal = AbortSignal.abort()
  await expect(stream.put(objectOf('x'), source, { requestId: 'r', signal })).rejects.toMatchObject({
    code: Status.CANCELLED,
  })
  await expect(getBody(stream, 'x', { signal })).rejects.toMatchObject({ code: Status.CANCELLED })
  expect(closed()).toBe(1)
  expect(host.opens).toEqual([])
})

test('a cancel that overtakes the opening of a source still closes it', async () => {
  const host = new MemoryHost()
  host.bodies.set('object x', large)
  const openSource = host.openSource.bind(host)
  let letOpen: () => void = () => undefined
  host.openSource = async (open) => {
    await new Promise<void>((resolve) => (letOpen = resolve))
    return await openSource(open)
  }
  const { stream } = connectPair({ host })
  const controller = new AbortController()
  const get = getBody(stream, 'x', { signal: controller.signal })
  await quiesce()
  controller.abort()
  await expect(get).rejects.toMatchObject({ code: Status.CANCELLED })
  letOpen()
  await quiesce()
  expect(host.opens).toHaveLength(1)
  expect(host.sourcesOpen).toBe(0)
})

test('what the listener gives up with reaches the dialler, code and reason', async () => {
  const host = new MemoryHost()
  const { stream } = connectPair({ host })
  await expect(getBody(stream, 'missing')).rejects.toMatchObject({
    code: Status.NOT_FOUND,
    reason: 'OBJECT_NOT_FOUND',
    message: 'object missing is not here',
  })
  host.openSink = async () => ({
    write: () => Promise.reject(new Error('disk on fire')),
    commit: async () => memoryReceipt,
    abort: () => undefined,
  })
  const { source, closed } = stallingSource()
  await expect(stream.put(objectOf('x'), source, { requestId: 'r' })).rejects.toMatchObject({
    code: Status.INTERNAL,
    message: 'disk on fire',
  })
  expect(closed()).toBe(1)
})

test('a source that fails while it is read ends the put at both ends', async () => {
  const host = new MemoryHost()
  const { stream } = connectPair({ host })
  const read = (): Iterable<Uint8Array> => {
    throw new Error('the file is gone')
  }
  const put = stream.put(objectOf('x'), { ...sourceOf(large), read }, { requestId: 'r' })
  await expect(put).rejects.toThrow('the file is gone')
  await quiesce()
  expect(host.sinksOpen).toBe(0)
})

test('a stream that breaks fails everything on it with UNAVAILABLE, and later calls too', async () => {
  const host = new MemoryHost()
  host.bodies.set('object large', large)
  const { stream, cut } = connectPair({ host })
  const { source, closed } = stallingSource()
  const put = stream.put(objectOf('x'), source, { requestId: 'r' })
  const get = stream.get(objectOf('large'), () => ({
    write: () => new Promise<void>(() => undefined),
    commit: async () => memoryReceipt,
    abort: () => undefined,
  }))
  get.catch(() => undefined)
  await quiesce()
  cut()
  await expect(put).rejects.toMatchObject({
    code: Status.UNAVAILABLE,
    reason: 'PEER_GONE',
    message: 'the store is gone: connection reset',
  })
  await quiesce()
  expect(stream.broken).toBe(true)
  expect(closed()).toBe(1)
  expect(host).toMatchObject({ sinksOpen: 0, sourcesOpen: 0 })
  await expect(getBody(stream, 'large')).rejects.toMatchObject({ code: Status.UNAVAILABLE })
})

test('closing a stream ends what is under way and frees both ends', async () => {
  const host = new MemoryHost()
  const { stream } = connectPair({ host })
  const { source, closed } = stallingSource()
  const put = stream.put(objectOf('x'), source, { requestId: 'r' })
  await quiesce()
  stream.close()
  await expect(put).rejects.toMatchObject({ code: Status.UNAVAILABLE })
  await quiesce()
  expect(closed()).toBe(1)
  expect(host.sinksOpen).toBe(0)
})

test.each([
  [protocolVersion + 1, 'upgrade this end'],
  [protocolVersion - 1, 'upgrade the store'],
])(
  'a listener that speaks protocol %i is refused, and the message says which side to upgrade',
  async (version, advice) => {
    const { stream } = connectPair({
      host: new MemoryHost(),
      down: (frame) =>
        frame.$case === 'hello'
          ? { $case: 'hello', value: { protocolVersion: version, packageVersion: '9.9.9' } }
          : frame,
    })
    const get = getBody(stream, 'x')
    await expect(get).rejects.toMatchObject({ code: Status.FAILED_PRECONDITION, reason: 'PROTOCOL_MISMATCH' })
    await expect(get).rejects.toThrow(advice)
  },
)

test('a dialler that speaks another protocol, or does not say hello, is refused', async () => {
  const foreign = connectPair({
    host: new MemoryHost(),
    up: (frame) =>
      frame.$case === 'hello' ? { $case: 'hello', value: { ...frame.value, protocolVersion: 99 } } : frame,
  })
  await expect(getBody(foreign.stream, 'x')).rejects.toMatchObject({ code: Status.FAILED_PRECONDITION })
  await expect(getBody(foreign.stream, 'x')).rejects.toThrow('upgrade the store')
  const rude = connectPair({ host: new MemoryHost(), up: (frame) => (frame.$case === 'hello' ? [] : frame) })
  await expect(getBody(rude.stream, 'x')).rejects.toMatchObject({
    code: Status.FAILED_PRECONDITION,
    reason: 'NO_HELLO',
  })
})

test('a caller that is refused hears so, not that the peer is gone', async () => {
  const { TransferStream } = await import('./dial.js')
  const stream = new TransferStream(async function* () {
    throw rpcError('PERMISSION_DENIED', 'ROLE_NOT_ALLOWED', 'an observer may not save')
  }, 'the store')
  await expect(getBody(stream, 'x')).rejects.toMatchObject({
    code: Status.PERMISSION_DENIED,
    reason: 'ROLE_NOT_ALLOWED',
    message: 'the store: an observer may not save',
  })
})

test('a slow reader holds up the sources, however many transfers share the stream', async () => {
  const host = new MemoryHost()
  const transfers = 40
  let read = 0
  host.openSource = async () => {
    const pieces = async function* (): AsyncGenerator<Uint8Array> {
      for (let start = 0; start < large.byteLength; start += chunkBytes) {
        read++
        yield large.subarray(start, start + chunkBytes)
      }
    }
    return { ...sourceOf(large), read: pieces }
  }
  const { responses, say, open } = serveByHand(host)
  for (let id = 1; id <= transfers; id++) {
    open(id, TransferDirection.GET, `o${id}`)
    say(id, { $case: 'credit', value: { bytes: BigInt(windowBytes) } })
  }
  let chunksTaken = 0
  for (let taken = 0; taken < 3 * transfers; taken++) {
    const next = await responses.next()
    if (next.value?.frame?.frame?.$case === 'chunk') chunksTaken++
    await quiesce()
    expect(read - chunksTaken).toBeLessThanOrEqual(outboxLimit + 1)
  }
  expect(chunksTaken).toBeGreaterThan(transfers)
  await responses.return()
})

test('a receiver that grants no credit stops its transfer and no other', async () => {
  const host = new MemoryHost()
  host.bodies.set('object stuck', large).set('object small', bytesOf(10))
  const { responses, open } = serveByHand(host)
  open(1, TransferDirection.GET, 'stuck')
  await quiesce()
  open(2, TransferDirection.GET, 'small')
  const said: unknown[] = []
  while (!said.includes('2 commit')) {
    const { value } = await responses.next()
    said.push(`${value?.frame?.transferId} ${value?.frame?.frame?.$case}`)
  }
  expect(said.filter((frame) => frame === '1 chunk')).toHaveLength(1)
  expect(said).not.toContain('1 commit')
  await responses.return()
})

test('a dialler that ends its half after the commit still gets its receipt', async () => {
  const host = new MemoryHost()
  const { requests, responses, say, open } = serveByHand(host)
  const body = bytesOf(10)
  open(1, TransferDirection.PUT, 'x')
  for (const frame of await framesOfPut(body)) say(1, frame)
  requests.end()
  const said = await collect(responses)
  expect(said.map((message) => message.frame?.frame?.$case)).toEqual(['hello', 'receipt'])
  expect(host.bodies.get('object x')).toEqual(body)
})

test('a dialler that ends its half in the middle gets told, and nothing stays open', async () => {
  const host = new MemoryHost()
  host.bodies.set('object large', large).set('object small', bytesOf(10))
  const { requests, responses, say, open } = serveByHand(host)
  open(1, TransferDirection.PUT, 'x')
  const [header] = await framesOfPut(bytesOf(10))
  say(1, header!)
  open(2, TransferDirection.GET, 'large')
  open(3, TransferDirection.GET, 'small')
  requests.end()
  const said = await collect(responses)
  const last = (id: number): unknown => said.findLast(({ frame }) => frame?.transferId === id)?.frame?.frame
  expect(last(1)).toMatchObject({ $case: 'abort', value: { reason: 'STREAM_ENDED' } })
  expect(last(2)).toMatchObject({ $case: 'abort', value: { reason: 'STREAM_ENDED' } })
  expect(last(3)).toMatchObject({ $case: 'commit' })
  expect(host).toMatchObject({ sinksOpen: 0, sourcesOpen: 0 })
})

test('a transfer that is opened twice ends the stream, and one too many is refused', async () => {
  const twice = serveByHand(new MemoryHost())
  twice.open(1, TransferDirection.PUT, 'x')
  twice.open(1, TransferDirection.PUT, 'x')
  await expect(collect(twice.responses)).rejects.toThrow('transfer 1 was opened again before it was over')
  const many = serveByHand(new MemoryHost())
  for (let id = 1; id <= refusedOpenTransfers + 1; id++) many.open(id, TransferDirection.PUT, `o${id}`)
  await many.responses.next()
  expect((await many.responses.next()).value?.frame).toMatchObject({
    transferId: refusedOpenTransfers + 1,
    frame: { $case: 'abort', value: { code: Status.RESOURCE_EXHAUSTED, reason: 'TOO_MANY_TRANSFERS' } },
  })
  await many.responses.return()
})

/** The frames in which a dialler puts this body. */
async function framesOfPut(body: Uint8Array): Promise<NonNullable<TransferFrame['frame']>[]> {
  const frames: NonNullable<TransferFrame['frame']>[] = []
  const { stream } = connectPair({
    host: new MemoryHost(),
    up: (frame) => {
      if (frame.$case === 'header' || frame.$case === 'chunk' || frame.$case === 'commit') frames.push(frame)
      return frame
    },
  })
  await stream.put(objectOf('recorded'), sourceOf(body), { requestId: 'r' })
  stream.close()
  return frames
}
