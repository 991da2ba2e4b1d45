import { Status } from 'nice-grpc-common'
import { expect, test } from 'vitest'

import { DigestAlgorithm, Durability, type TransferFrame } from '#libs/proto'
import { rpcError } from '#libs/rpc'

import type { TransferStream } from './dial.js'
import { wholePutBytes } from './limits.js'
import {
  bytesOf,
  connectPair,
  fingerprint,
  MemoryHost,
  objectOf,
  quiesce,
  sourceOf,
  type Tamper,
} from './pair.fixture.js'

type Frame = NonNullable<TransferFrame['frame']>

/** Both ends of a stream that have greeted each other, and the kinds of frames that go up since. */
async function greetedPair(options: { host?: MemoryHost; up?: Tamper; down?: Tamper } = {}) {
  const host = options.host ?? new MemoryHost()
  const said: string[] = []
  const { up = (frame: Frame) => frame } = options
  const note: Tamper = (frame, transferId) => {
    said.push(frame.$case)
    return up(frame, transferId)
  }
  const pair = connectPair({ ...options, host, up: note })
  await quiesce()
  said.length = 0
  return { ...pair, host, said }
}

const putX = (stream: TransferStream, body: Uint8Array, algorithm?: DigestAlgorithm) =>
  stream.put(objectOf('x'), sourceOf(body, algorithm), { requestId: 'r' })

test.each([DigestAlgorithm.XXH64, DigestAlgorithm.SHA256])(
  'a small body goes whole in its open, once the other end has said that it takes such (digest %i)',
  async (algorithm) => {
    for (const length of [0, 1, 2_048, wholePutBytes]) {
      const { stream, host, said } = await greetedPair()
      const body = bytesOf(length)
      expect(await putX(stream, body, algorithm)).toEqual({ durability: Durability.MEMORY, version: 0n })
      expect(fingerprint(host.bodies.get('object x'))).toBe(fingerprint(body))
      expect(said).toEqual(['open'])
      expect(host.sinksOpen).toBe(0)
    }
  },
)

test('a longer body has frames of its own', async () => {
  const { stream, host, said } = await greetedPair()
  await putX(stream, bytesOf(wholePutBytes + 1))
  expect(said).toEqual(['open', 'header', 'chunk', 'commit'])
  expect(host.bodies.get('object x')).toHaveLength(wholePutBytes + 1)
})

test('an end that does not say that it takes whole bodies gets frames as ever', async () => {
  const older: Tamper = (frame) =>
    frame.$case === 'hello' ? { $case: 'hello', value: { ...frame.value, takesWholePuts: undefined } } : frame
  const { stream, host, said } = await greetedPair({ down: older })
  await putX(stream, bytesOf(100))
  expect(said).toEqual(['open', 'header', 'chunk', 'commit'])
  expect(host.bodies.get('object x')).toHaveLength(100)
})

test('a bit that flips on the way is found, and nothing is kept', async () => {
  const flip: Tamper = (frame) => {
    if (frame.$case !== 'open' || frame.value.whole === undefined) return frame
    const data = Buffer.from(frame.value.whole.data)
    data[17]! ^= 4
    return { $case: 'open', value: { ...frame.value, whole: { ...frame.value.whole, data } } }
  }
  const { stream, host } = await greetedPair({ up: flip })
  await expect(putX(stream, bytesOf(100))).rejects.toMatchObject({ code: Status.DATA_LOSS, reason: 'DIGEST_MISMATCH' })
  expect(host.bodies.size + host.opens.length).toBe(0)
})

test('a body that is not as long as announced, or has no header, is refused', async () => {
  const shorten: Tamper = (frame) => {
    const whole = frame.$case === 'open' ? frame.value.whole : undefined
    return whole && frame.$case === 'open'
      ? { $case: 'open', value: { ...frame.value, whole: { ...whole, data: whole.data.subarray(1) } } }
      : frame
  }
  const behead: Tamper = (frame) => {
    const whole = frame.$case === 'open' ? frame.value.whole : undefined
    return whole && frame.$case === 'open'
      ? { $case: 'open', value: { ...frame.value, whole: { ...whole, header: undefined } } }
      : frame
  }
  const { stream: shorter, host } = await greetedPair({ up: shorten })
  await expect(putX(shorter, bytesOf(100))).rejects.toMatchObject({ reason: 'BAD_WHOLE_BODY' })
  const { stream: headless } = await greetedPair({ up: behead, host })
  await expect(putX(headless, bytesOf(100))).rejects.toMatchObject({ reason: 'BAD_OPEN' })
  expect(host.bodies.size).toBe(0)
})

test('a refusal comes to who puts, and a sink that fails is left', async () => {
  const host = new MemoryHost()
  const { stream } = await greetedPair({ host })
  host.openSink = async () => {
    throw rpcError('ABORTED', 'STALE_LEASE', 'taken over')
  }
  await expect(putX(stream, bytesOf(10))).rejects.toMatchObject({ code: Status.ABORTED, reason: 'STALE_LEASE' })
  let aborts = 0
  host.openSink = async () => ({
    write: () => undefined,
    commit: () => Promise.reject(new Error('no room')),
    abort: () => aborts++,
  })
  await expect(putX(stream, bytesOf(10))).rejects.toThrow('no room')
  expect(aborts).toBe(1)
})

test('a stream that is cut fails the puts that wait, and closes what they were put from', async () => {
  const host = new MemoryHost()
  const { stream, cut } = await greetedPair({ host })
  host.openSink = () => new Promise(() => undefined)
  let closed = 0
  const source = { ...sourceOf(bytesOf(10)), close: () => closed++ }
  const put = stream.put(objectOf('x'), source, { requestId: 'r' })
  await quiesce()
  cut()
  await expect(put).rejects.toMatchObject({ code: Status.UNAVAILABLE })
  expect(closed).toBe(1)
})
