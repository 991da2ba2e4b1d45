import { Status } from 'nice-grpc-common'
import { beforeEach, expect, test, vi } from 'vitest'

import { DigestAlgorithm } from '#libs/proto'

import { chunkBytes, windowBytes } from './limits.js'
import {
  bytesOf,
  connectPair,
  fingerprint,
  getBody,
  MemoryHost,
  objectOf,
  quiesce,
  sourceOf,
  type Tamper,
} from './pair.fixture.js'

// What is damaged here are the frames: nothing may go around them.
beforeEach(() => void vi.stubEnv('COSTATE_SHARED_MEMORY', 'off'))

const body = bytesOf(3 * chunkBytes + 5)

/** A put and a get whose frames are tampered with on the way; what each fails with, and what the host has left open. */
async function move(tamper: Tamper): Promise<unknown[]> {
  const puttingHost = new MemoryHost()
  const put = connectPair({ host: puttingHost, up: tamper }).stream.put(objectOf('x'), sourceOf(body), {
    requestId: 'r',
  })
  const gettingHost = new MemoryHost()
  gettingHost.bodies.set('object x', body)
  const get = getBody(connectPair({ host: gettingHost, down: tamper }).stream, 'x')
  const outcomes = (await Promise.allSettled([put, get])).map((outcome) =>
    outcome.status === 'rejected' ? (outcome.reason as unknown) : outcome,
  )
  await quiesce()
  expect([puttingHost.sinksOpen, gettingHost.sourcesOpen]).toEqual([0, 0])
  expect(puttingHost.bodies.size).toBe(0)
  return outcomes
}

function bothFail(code: Status, reason: string): unknown[] {
  return [expect.objectContaining({ code, reason }), expect.objectContaining({ code, reason })]
}

test('a bit that flips on the way is found in its chunk', async () => {
  const flip: Tamper = (frame) => {
    if (frame.$case !== 'chunk' || frame.value.offset === 0n) return frame
    const data = Buffer.from(frame.value.data)
    data[17]! ^= 4
    return { $case: 'chunk', value: { ...frame.value, data } }
  }
  expect(await move(flip)).toEqual(bothFail(Status.DATA_LOSS, 'CHUNK_CORRUPT'))
})

test('a digest that is not that of the body is found', async () => {
  const forge: Tamper = (frame) =>
    frame.$case === 'commit' ? { $case: 'commit', value: { digest: Buffer.alloc(8) } } : frame
  expect(await move(forge)).toEqual(bothFail(Status.DATA_LOSS, 'DIGEST_MISMATCH'))
})

test('a body that ends early is found', async () => {
  const truncate: Tamper = (frame) => (frame.$case === 'chunk' && frame.value.offset > chunkBytes ? [] : frame)
  expect(await move(truncate)).toEqual(bothFail(Status.INVALID_ARGUMENT, 'BODY_TRUNCATED'))
})

test('a chunk that is missing in the middle, or comes twice, is found', async () => {
  const drop: Tamper = (frame) => (frame.$case === 'chunk' && frame.value.offset === BigInt(chunkBytes) ? [] : frame)
  expect(await move(drop)).toEqual(bothFail(Status.INVALID_ARGUMENT, 'CHUNK_OUT_OF_ORDER'))
  const repeat: Tamper = (frame) =>
    frame.$case === 'chunk' && frame.value.data.byteLength === 5 ? [frame, frame] : frame
  expect(await move(repeat)).toEqual(bothFail(Status.INVALID_ARGUMENT, 'CHUNK_OUT_OF_ORDER'))
})

test('a body longer than announced is found', async () => {
  const shorten: Tamper = (frame) =>
    frame.$case === 'header' ? { $case: 'header', value: { ...frame.value, byteLength: 10n } } : frame
  expect(await move(shorten)).toEqual(bothFail(Status.INVALID_ARGUMENT, 'CHUNK_OUT_OF_ORDER'))
})

test('a body that no array could have is refused when it is announced', async () => {
  const inflate: Tamper = (frame) =>
    frame.$case === 'header' ? { $case: 'header', value: { ...frame.value, byteLength: 2n ** 53n } } : frame
  const outcomes = await move(inflate)
  expect(outcomes).toEqual(bothFail(Status.INVALID_ARGUMENT, 'OBJECT_TOO_LARGE'))
  expect(String(outcomes[0])).toContain('but one object may have at most 32 GiB: pass it in parts')
})

test('chunks without a header, and a second header, are refused', async () => {
  const behead: Tamper = (frame) => (frame.$case === 'header' ? [] : frame)
  expect(await move(behead)).toEqual(bothFail(Status.INVALID_ARGUMENT, 'FRAME_OUT_OF_PLACE'))
  const repeat: Tamper = (frame) => (frame.$case === 'header' ? [frame, frame] : frame)
  expect(await move(repeat)).toEqual(bothFail(Status.INVALID_ARGUMENT, 'FRAME_OUT_OF_PLACE'))
})

test('a digest algorithm that this side does not know is refused before a place is made', async () => {
  const change: Tamper = (frame) =>
    frame.$case === 'header'
      ? { $case: 'header', value: { ...frame.value, digestAlgorithm: DigestAlgorithm.UNSPECIFIED } }
      : frame
  expect(await move(change)).toEqual(bothFail(Status.INVALID_ARGUMENT, 'UNKNOWN_DIGEST_ALGORITHM'))
})

test('who sends more than there is credit for is cut off', async () => {
  const host = new MemoryHost()
  const open = host.openSink.bind(host)
  let letWrite: () => void = () => undefined
  const mayWrite = new Promise<void>((resolve) => (letWrite = resolve))
  // While the sink takes nothing no credit comes back.
  host.openSink = async (...args) => ({ ...(await open(...args)), write: () => mayWrite })
  let sentBytes = 0
  const { stream } = connectPair({
    host,
    up: (frame) => {
      if (frame.$case === 'chunk' && (sentBytes += frame.value.data.byteLength) > windowBytes) letWrite()
      return frame
    },
    down: (frame) =>
      frame.$case === 'credit' ? { $case: 'credit', value: { bytes: BigInt(2 * windowBytes) } } : frame,
  })
  const put = stream.put(objectOf('x'), sourceOf(bytesOf(2 * windowBytes)), { requestId: 'r' })
  await expect(put).rejects.toMatchObject({ code: Status.INVALID_ARGUMENT, reason: 'CREDIT_EXCEEDED' })
})

test('a source that does not have what it announced is DATA_LOSS at the other end', async () => {
  const host = new MemoryHost()
  host.openSource = async () => ({
    header: { byteLength: 100, digestAlgorithm: DigestAlgorithm.XXH64 },
    read: () => [bytesOf(99)],
  })
  const { stream } = connectPair({ host })
  await expect(getBody(stream, 'x')).rejects.toMatchObject({ code: Status.DATA_LOSS, reason: 'LENGTH_MISMATCH' })
  host.openSource = async () => ({
    header: { byteLength: 100, digestAlgorithm: DigestAlgorithm.XXH64 },
    read: () => [bytesOf(101)],
  })
  await expect(getBody(stream, 'x')).rejects.toMatchObject({ code: Status.DATA_LOSS, reason: 'LENGTH_MISMATCH' })
})

test('a source that finds its bytes rotten never commits them', async () => {
  const host = new MemoryHost()
  let closed = 0
  host.openSource = async () => ({
    ...sourceOf(body),
    verify: (digest) => {
      throw new Error(`digest ${digest.toString('hex')} is not the one`)
    },
    close: () => closed++,
  })
  const { stream } = connectPair({ host })
  await expect(getBody(stream, 'x')).rejects.toThrow('is not the one')
  expect(closed).toBe(1)
})

test('one bad transfer leaves the others of its stream alone', async () => {
  const host = new MemoryHost()
  const flipFirst: Tamper = (frame, transferId) => {
    if (frame.$case !== 'chunk' || transferId !== 1) return frame
    return { $case: 'chunk', value: { ...frame.value, crc32c: (frame.value.crc32c ^ 1) >>> 0 } }
  }
  const { stream } = connectPair({ host, up: flipFirst })
  const bad = stream.put(objectOf('bad'), sourceOf(body), { requestId: 'r1' })
  const good = stream.put(objectOf('good'), sourceOf(body), { requestId: 'r2' })
  await expect(bad).rejects.toMatchObject({ code: Status.DATA_LOSS })
  await good
  expect(fingerprint(host.bodies.get('object good'))).toBe(fingerprint(body))
})
