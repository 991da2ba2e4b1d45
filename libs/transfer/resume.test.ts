import { Status } from 'nice-grpc-common'
import { beforeEach, expect, test, vi } from 'vitest'

import { wholeOf } from '#libs/memory'
import type { TransferFrame } from '#libs/proto'

import { createMemorySink } from './memory-sink.js'
import { bytesOf, connectPair, fingerprint, MemoryHost, objectOf } from './pair.fixture.js'
import { peerOn, type TransferPeer } from './pool.js'
import { TransferError } from './transfer-error.js'

// What is damaged here are the frames: nothing may go around them.
beforeEach(() => void vi.stubEnv('COSTATE_SHARED_MEMORY', 'off'))

type Frame = NonNullable<TransferFrame['frame']>

const large = bytesOf(20 * 2 ** 20)
const noPause = async (): Promise<void> => undefined

/** A peer whose streams are cut, one after the other, when so many chunks have come on them; undefined for never. */
function peerWithCuts(
  host: MemoryHost,
  cuts: readonly (number | undefined)[],
  change = (frame: Frame): Frame => frame,
) {
  const dialled: number[] = []
  const state = { broken: true, pair: undefined as ReturnType<typeof connectPair> | undefined }
  const peer = peerOn(() => {
    if (!state.broken && state.pair) return state.pair.stream
    const cut = cuts[dialled.length]
    dialled.push(host.opens.length)
    let chunks = 0
    const pair = connectPair({
      host,
      down: (frame) => {
        if (frame.$case === 'chunk' && ++chunks === cut) {
          state.broken = true
          pair.cut()
        }
        return dialled.length > 1 ? change(frame) : frame
      },
    })
    state.broken = false
    state.pair = pair
    return pair.stream
  }, noPause)
  return { peer, dialled }
}

async function get(peer: TransferPeer, id: string, onWrite?: () => void): Promise<Uint8Array | undefined> {
  let got: Uint8Array | undefined
  let sinks = 0
  await peer.get(objectOf(id), (header) => {
    expect(++sinks).toBe(1)
    const sink = createMemorySink(header, ({ bytes }) => void (got = wholeOf(bytes)))
    return {
      ...sink,
      write: (data) => {
        onWrite?.()
        return sink.write(data)
      },
    }
  })
  return got
}

function hostWith(body: Uint8Array): MemoryHost {
  const host = new MemoryHost()
  host.bodies.set('object large', body)
  return host
}

test('a get that loses its connection in the middle goes on where it was', async () => {
  const host = hostWith(large)
  const { peer } = peerWithCuts(host, [10, 7, 1])
  expect(fingerprint(await get(peer, 'large'))).toBe(fingerprint(large))
  const offsets = host.opens.map(({ offset }) => Number(offset))
  expect(offsets).toHaveLength(4)
  expect(offsets[0]).toBe(0)
  expect(offsets[1]).toBeGreaterThan(0)
  expect(offsets[2]).toBeGreaterThan(offsets[1] as number)
})

test('what is got anew in another way than it began is refused', async () => {
  const host = hostWith(large)
  const { peer } = peerWithCuts(host, [10], (frame) =>
    frame.$case === 'header' ? { ...frame, value: { ...frame.value, version: 2n } } : frame,
  )
  await expect(get(peer, 'large')).rejects.toMatchObject({ code: Status.ABORTED, reason: 'BODY_CHANGED' })
})

test('other bytes after the cut are found by the digest', async () => {
  const host = hostWith(large)
  const { peer } = peerWithCuts(host, [10])
  let writes = 0
  const other = bytesOf(large.byteLength, 2)
  const getting = get(peer, 'large', () => {
    if (++writes === 1) host.bodies.set('object large', other)
  })
  await expect(getting).rejects.toMatchObject({ code: Status.DATA_LOSS, reason: 'DIGEST_MISMATCH' })
})

test('a peer that does not come back is given up after a few tries, and the sink is freed', async () => {
  const host = hostWith(large)
  let chunks = 0
  const pair = connectPair({
    host,
    down: (frame) => {
      if (frame.$case === 'chunk' && ++chunks === 10) pair.cut()
      return frame
    },
  })
  const pauses: number[] = []
  const peer = peerOn(
    () => {
      if (!pair.stream.broken) return pair.stream
      throw new TransferError(Status.UNAVAILABLE, 'PEER_GONE', 'the store is gone')
    },
    async (ms) => {
      pauses.push(ms)
    },
  )
  let aborted = 0
  const getting = peer.get(objectOf('large'), (header) => ({
    ...createMemorySink(header, () => undefined),
    abort: () => {
      aborted++
    },
  }))
  await expect(getting).rejects.toMatchObject({ code: Status.UNAVAILABLE, message: 'the store is gone' })
  expect(pauses).toEqual([0, 400, 1_000])
  expect(aborted).toBe(1)
})

test('what the other end refuses is not asked for again', async () => {
  const host = new MemoryHost()
  const { peer, dialled } = peerWithCuts(host, [])
  await expect(get(peer, 'large')).rejects.toMatchObject({ code: Status.NOT_FOUND })
  expect(dialled).toHaveLength(1)
})

test('a sink that fails is not written to again', async () => {
  const host = hostWith(large)
  const { peer, dialled } = peerWithCuts(host, [])
  let writes = 0
  const getting = get(peer, 'large', () => {
    if (++writes === 3) throw new TransferError(Status.UNAVAILABLE, 'DISK_GONE', 'the disk is gone')
  })
  await expect(getting).rejects.toMatchObject({ reason: 'DISK_GONE' })
  expect(dialled).toHaveLength(1)
  expect(host.sourcesOpen).toBe(0)
})
