import { randomUUID } from 'node:crypto'

import { Status } from 'nice-grpc-common'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'

import { TransferDirection, type TransferFrame, TransferOpen } from '#libs/proto'

import { CutPuts } from './cut-puts.js'
import { IncomingBody } from './incoming-body.js'
import { windowBytes } from './limits.js'
import { bytesOf, connectPair, fingerprint, MemoryHost, objectOf, quiesce, sourceOf } from './pair.fixture.js'
import { peerOn, type TransferPeer } from './pool.js'
import { PutPoint, type ResumePoint } from './resume.js'
import { SharedMemory } from './shared-memory.js'
import { TransferError } from './transfer-error.js'

// What is cut here are the frames: nothing may go around them.
beforeEach(() => void vi.stubEnv('COSTATE_SHARED_MEMORY', 'off'))
afterEach(() => vi.useRealTimers())

type Frame = NonNullable<TransferFrame['frame']>

const large = bytesOf(20 * 2 ** 20)
const noPause = async (): Promise<void> => undefined
const put = (peer: TransferPeer, body = large, requestId = randomUUID()) =>
  peer.put(objectOf('x'), sourceOf(body), { requestId })

/** What went over one stream. */
interface StreamSeen {
  /** Where chunks started. */
  readonly offsets: number[]
  /** What the listener's credits said of where to go on. */
  readonly wanted: (number | undefined)[]
}

/** Streams of which the first is cut in the middle. */
function cutOnce(host: MemoryHost): () => Pick<TransferPeer, 'get' | 'put'> {
  let pair: ReturnType<typeof connectPair> | undefined
  let chunks = 0
  const up = (frame: Frame): Frame => {
    if (frame.$case === 'chunk' && ++chunks === 20) pair?.cut()
    return frame
  }
  return () => {
    if (pair === undefined || pair.stream.broken) pair = connectPair({ host, up })
    return pair.stream
  }
}

function hostThatKeeps(): MemoryHost {
  const host = new MemoryHost()
  host.cutPuts = new CutPuts({ mostBytes: 2 ** 30, keepMs: 60_000 })
  return host
}

/** A peer whose streams are cut, one after the other, when so many chunks have gone up on them; undefined for never. */
function peerWithCuts(hosts: readonly MemoryHost[], cuts: readonly (number | undefined)[]) {
  const streams: StreamSeen[] = []
  const state = { broken: true, pair: undefined as ReturnType<typeof connectPair> | undefined }
  const peer = peerOn(() => {
    if (!state.broken && state.pair) return state.pair.stream
    const cut = cuts[streams.length]
    const host = hosts[Math.min(streams.length, hosts.length - 1)] as MemoryHost
    const seen: StreamSeen = { offsets: [], wanted: [] }
    streams.push(seen)
    const pair = connectPair({
      host,
      up: (frame: Frame) => {
        if (frame.$case !== 'chunk') return frame
        seen.offsets.push(Number(frame.value.offset))
        if (seen.offsets.length === cut) {
          state.broken = true
          pair.cut()
        }
        return frame
      },
      down: (frame: Frame) => {
        if (frame.$case === 'credit') {
          const { resumeOffset } = frame.value
          seen.wanted.push(resumeOffset === undefined ? undefined : Number(resumeOffset))
        }
        return frame
      },
    })
    state.broken = false
    state.pair = pair
    return pair.stream
  }, noPause)
  return { peer, streams }
}

test('a put that loses its connection goes on where the listener was: nothing before that is sent again', async () => {
  const host = hostThatKeeps()
  const { peer, streams } = peerWithCuts([host], [20, 7, 1])
  await put(peer)
  expect(fingerprint(host.bodies.get('object x'))).toBe(fingerprint(large))
  expect(streams).toHaveLength(4)
  for (const { offsets, wanted } of streams.slice(1)) {
    expect(wanted[0]).toBeGreaterThan(0)
    expect(offsets[0]).toBe(wanted[0])
  }
  // The listener opened one place for it.
  expect(host.opens).toHaveLength(1)
  expect([host.sinksOpen, host.cutPuts?.byteLength]).toEqual([0, 0])
})

test('a listener that kept nothing gets all of it again', async () => {
  const { peer, streams } = peerWithCuts([new MemoryHost(), new MemoryHost()], [20])
  await put(peer)
  expect(streams.map(({ offsets }) => offsets[0])).toEqual([0, 0])
  expect(streams[1]?.wanted[0]).toBeUndefined()
})

test('a listener that has not seen that the connection is gone lets go of it', async () => {
  const host = hostThatKeeps()
  let chunks = 0
  let lose!: (error: Error) => void
  const lost = new Promise<never>((_, reject) => (lose = reject))
  const gone = connectPair({
    host,
    up: (frame) => {
      if (frame.$case !== 'chunk') return chunks < 20 ? frame : []
      if (++chunks === 20) lose(new TransferError(Status.UNAVAILABLE, 'PEER_GONE', 'no answer'))
      return chunks < 20 ? frame : []
    },
  })
  const next = connectPair({ host })
  const streams: Pick<TransferPeer, 'get' | 'put'>[] = [
    {
      get: (...all) => gone.stream.get(...all),
      put: (...all) => {
        const putting = gone.stream.put(...all)
        putting.catch(() => undefined)
        return Promise.race([putting, lost])
      },
    },
    next.stream,
  ]
  const peer = peerOn(() => streams.shift() as never, noPause)
  await put(peer)
  expect(fingerprint(host.bodies.get('object x'))).toBe(fingerprint(large))
  expect(host.opens).toHaveLength(1)
  gone.cut()
})

test('who puts something else under the same request id does not go on with what came', async () => {
  const host = hostThatKeeps()
  const requestId = randomUUID()
  const cut = connectPair({
    host,
    up: (frame) => (frame.$case === 'chunk' && frame.value.offset > 0 ? cutNow() : frame),
  })
  const cutNow = (): [] => {
    cut.cut()
    return []
  }
  await expect(cut.stream.put(objectOf('x'), sourceOf(large), { requestId })).rejects.toMatchObject({
    code: Status.UNAVAILABLE,
  })
  await quiesce()
  expect(host.cutPuts?.byteLength).toBe(large.byteLength)
  const other = bytesOf(large.byteLength, 2)
  await connectPair({ host }).stream.put(objectOf('x'), sourceOf(other), { requestId })
  expect(fingerprint(host.bodies.get('object x'))).toBe(fingerprint(other))
  expect([host.sinksOpen, host.cutPuts?.byteLength]).toEqual([0, 0])
})

test('a put that goes on in another way than it began is refused', async () => {
  const host = hostThatKeeps()
  const [first, second] = [sourceOf(large), sourceOf(bytesOf(large.byteLength - 8))]
  const peer = cutOnce(host)
  let puts = 0
  // The second stream brings another body under the same request id.
  const changing = peerOn(
    () => ({
      ...peer(),
      fetch: () => Promise.reject(new Error('nobody fetches')),
      put: (target, _, options) => peer().put(target, ++puts === 1 ? first : second, options),
    }),
    noPause,
  )
  await expect(put(changing)).rejects.toMatchObject({ code: Status.ABORTED, reason: 'BODY_CHANGED' })
  expect([host.sinksOpen, host.cutPuts?.byteLength]).toEqual([0, 0])
})

test('a listener that wants more than there is gets nothing', async () => {
  const host = hostThatKeeps()
  const { stream } = connectPair({
    host,
    down: (frame) =>
      frame.$case === 'credit' ? { ...frame, value: { ...frame.value, resumeOffset: 2n ** 40n } } : frame,
  })
  const resume = new PutPoint()
  resume.isHeard = true
  const putting = stream.put(objectOf('x'), sourceOf(large), { requestId: randomUUID(), resume })
  await expect(putting).rejects.toMatchObject({ code: Status.OUT_OF_RANGE, reason: 'OFFSET_BEHIND_END' })
  await quiesce()
  expect(host.sinksOpen).toBe(0)
})

test('a put that is cancelled leaves nothing behind', async () => {
  const host = hostThatKeeps()
  const abort = new AbortController()
  const { stream } = connectPair({
    host,
    up: (frame) => {
      if (frame.$case === 'chunk' && frame.value.offset > 2 ** 20) abort.abort()
      return frame
    },
  })
  const putting = stream.put(objectOf('x'), sourceOf(large), { requestId: randomUUID(), signal: abort.signal })
  await expect(putting).rejects.toMatchObject({ code: Status.CANCELLED })
  await quiesce()
  expect([host.sinksOpen, host.cutPuts?.byteLength]).toEqual([0, 0])
})

/** A put under a request id of its own whose stream is lost when `byteLength` bytes were announced. */
async function lose(cutPuts: CutPuts, byteLength: number): Promise<{ readonly aborted: boolean }> {
  const state = { aborted: false }
  const header = { byteLength: BigInt(byteLength), digestAlgorithm: 1, objects: [], version: 0n } as never
  const sink = {
    write: () => undefined,
    commit: () => Promise.reject(new Error('never')),
    abort: () => (state.aborted = true),
  }
  const open = TransferOpen.fromPartial({ direction: TransferDirection.PUT, requestId: randomUUID() })
  const receive = async (point: ResumePoint): Promise<void> => {
    point.body = new IncomingBody('x', header, sink, new SharedMemory(() => undefined))
    throw new TransferError(Status.UNAVAILABLE, 'STREAM_ENDED', 'cut')
  }
  await expect(cutPuts.receive(open as never, { fail: () => undefined, receive })).rejects.toThrow('cut')
  return state
}

test('what nobody goes on with is freed after a while', async () => {
  vi.useFakeTimers()
  const cutPuts = new CutPuts({ mostBytes: windowBytes, keepMs: 1_000 })
  const lost = await lose(cutPuts, 1_000)
  vi.advanceTimersByTime(900)
  expect([lost.aborted, cutPuts.byteLength]).toEqual([false, 1_000])
  vi.advanceTimersByTime(200)
  expect([lost.aborted, cutPuts.byteLength]).toEqual([true, 0])
})

test('the oldest is freed when there is more than the limit', async () => {
  const cutPuts = new CutPuts({ mostBytes: 2_000, keepMs: 60_000 })
  const lost = [await lose(cutPuts, 1_000), await lose(cutPuts, 1_000), await lose(cutPuts, 500)]
  expect(lost.map(({ aborted }) => aborted)).toEqual([true, false, false])
  expect(cutPuts.byteLength).toBe(1_500)
})
