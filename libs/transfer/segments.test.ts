import { randomUUID } from 'node:crypto'

import { Status } from 'nice-grpc-common'
import { beforeEach, expect, test, vi } from 'vitest'

// Two and a half segments are as short here as they would be long elsewhere: 10 GiB.
vi.hoisted(() => (process.env['COSTATE_SEGMENT_BYTES'] = String(2 ** 20)))

import { type Bytes, bytesOf, segmentBytes, segmentsOf } from '#libs/memory'
import { DigestAlgorithm, type TransferHeader } from '#libs/proto'

import { CutPuts } from './cut-puts.js'
import { xxh64Of } from './digest.js'
import { sourceOfSegments } from './endpoint.js'
import { getFromHolders } from './holders.js'
import { chunkBytes } from './limits.js'
import { createMemorySink } from './memory-sink.js'
import { connectPair, MemoryHost, objectOf, type Tamper } from './pair.fixture.js'
import { peerOn, type TransferPeer } from './pool.js'
import { getStriped } from './striped-get.js'
import { TransferError } from './transfer-error.js'

// What is cut and damaged here are the frames: nothing may go around them.
beforeEach(() => void vi.stubEnv('COSTATE_SHARED_MEMORY', 'off'))

const noPause = async (): Promise<void> => undefined
const byteLength = 2.5 * segmentBytes + 8
const numbers = Float64Array.from({ length: byteLength / 8 }, (_, k) => Math.sin(k))
const whole = bytesOf(numbers.buffer)
const xxh64 = xxh64Of(segmentsOf(whole))
const header = { byteLength, digestAlgorithm: DigestAlgorithm.XXH64 }
const inSecondSegment = (offset: bigint): boolean => offset >= segmentBytes && offset < 2 * segmentBytes

/** A listener that has the body, and keeps what is put. */
class Host extends MemoryHost {
  readonly kept: Bytes[] = []

  override async openSource() {
    this.sourcesOpen++
    return { ...sourceOfSegments(header, segmentsOf(whole)), close: () => this.sourcesOpen-- }
  }

  override async openSink(_open: unknown, put: TransferHeader) {
    return createMemorySink(put, ({ bytes }) => void this.kept.push(bytes))
  }
}

function isWhole(bytes: Bytes): boolean {
  return !(bytes instanceof Uint8Array) && bytes.byteLength === byteLength && xxh64Of(segmentsOf(bytes)) === xxh64
}

/** A peer whose streams, but for the last one, are cut at the second chunk that lies in the second segment; and where chunks started. */
function cutInSecondSegment(host: MemoryHost, direction: 'up' | 'down', cuts: number) {
  const starts: number[][] = []
  let pair: ReturnType<typeof connectPair> | undefined
  const peer = peerOn(() => {
    if (pair && !pair.stream.broken) return pair.stream
    const seen: number[] = []
    starts.push(seen)
    const isCut = starts.length <= cuts
    const made = connectPair({
      host,
      [direction]: ((frame) => {
        if (frame.$case !== 'chunk') return frame
        seen.push(Number(frame.value.offset))
        if (isCut && seen.filter((start) => inSecondSegment(BigInt(start))).length === 2) made.cut()
        return frame
      }) satisfies Tamper,
    })
    pair = made
    return made.stream
  }, noPause)
  return { peer, starts }
}

async function get(peer: Pick<TransferPeer, 'get'>): Promise<Bytes> {
  let got: Bytes | undefined
  await peer.get(objectOf('x'), (opened) => createMemorySink(opened, ({ bytes }) => void (got = bytes)))
  return got as Bytes
}

test('a body of several segments is put and got as one', async () => {
  const host = new Host()
  const { stream } = connectPair({ host })
  await stream.put(objectOf('x'), sourceOfSegments(header, segmentsOf(whole)), { requestId: randomUUID() })
  expect(host.kept.map(isWhole)).toEqual([true])
  expect(isWhole(await get(stream))).toBe(true)
  await expect.poll(() => host.sourcesOpen).toBe(0)
})

test('what is cut in the second segment goes on there', async () => {
  const getting = cutInSecondSegment(new Host(), 'down', 1)
  expect(isWhole(await get(getting.peer))).toBe(true)
  const host = new Host()
  // A cut put is kept although it alone is longer than all may be together.
  host.cutPuts = new CutPuts({ mostBytes: segmentBytes, keepMs: 60_000 })
  const putting = cutInSecondSegment(host, 'up', 1)
  await putting.peer.put(objectOf('x'), sourceOfSegments(header, segmentsOf(whole)), { requestId: randomUUID() })
  expect(host.kept.map(isWhole)).toEqual([true])
  for (const { starts } of [getting, putting]) {
    expect(starts).toHaveLength(2)
    expect(Math.min(...(starts[1] as number[]))).toBeGreaterThanOrEqual(segmentBytes)
  }
})

const flip: Tamper = (frame) => {
  if (frame.$case !== 'chunk' || !inSecondSegment(frame.value.offset)) return frame
  const data = Buffer.from(frame.value.data)
  data[17]! ^= 4
  return { $case: 'chunk', value: { ...frame.value, data } }
}

test('damage in the second segment is found, and another holder asked', async () => {
  const host = new Host()
  const damaged = connectPair({ host, down: flip }).stream
  await expect(get(damaged)).rejects.toMatchObject({ code: Status.DATA_LOSS, reason: 'CHUNK_CORRUPT' })
  const givers = {
    worker: ([address]: readonly string[]) => (address === 'a:1' ? damaged : connectPair({ host }).stream),
  }
  const holders = [{ addresses: ['a:1'] }, { addresses: ['b:1'] }]
  expect(isWhole((await getFromHolders(givers, 'x', holders)).bytes)).toBe(true)
  const striped = { objectId: 'x', byteLength, xxh64, holders }
  // Ranges that begin in one segment and end in the next.
  expect(isWhole((await getStriped(givers, striped, { rangeBytes: chunkBytes - 40 })).bytes)).toBe(true)
  const forged = getStriped(givers, { ...striped, xxh64: xxh64 ^ 1n }, { rangeBytes: chunkBytes })
  await expect(forged).rejects.toMatchObject({ reason: 'DIGEST_MISMATCH' } satisfies Partial<TransferError>)
})
