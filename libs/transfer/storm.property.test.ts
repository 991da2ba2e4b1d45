import fc from 'fast-check'
import { Status } from 'nice-grpc-common'
import { beforeEach, expect, test, vi } from 'vitest'

import { type Bytes, wholeOf } from '#libs/memory'
import type { TransferFrame } from '#libs/proto'

import { CutPuts } from './cut-puts.js'
import { xxh64Of } from './digest.js'
import { getFromHolders, putUntilWhole } from './holders.js'
import { bytesOf, connectPair, fingerprint, MemoryHost, objectOf, sourceOf } from './pair.fixture.js'
import { peerOn, type TransferPeer } from './pool.js'
import { getStriped } from './striped-get.js'
import { TransferError } from './transfer-error.js'

// What is damaged here are the frames: nothing may go around them.
beforeEach(() => void vi.stubEnv('COSTATE_SHARED_MEMORY', 'off'))

type Frame = NonNullable<TransferFrame['frame']>

/** What becomes of the chunks of one holder, counted over all of its streams: a trouble for each of these. */
type Trouble = 'cut' | 'flip' | 'drop' | 'repeat' | 'shift'
type Troubles = ReadonlyMap<number, Trouble>

const troubles: fc.Arbitrary<Troubles> = fc
  .array(fc.tuple(fc.nat(12), fc.constantFrom<Trouble>('cut', 'cut', 'flip', 'drop', 'repeat', 'shift')), {
    maxLength: 4,
  })
  .map((entries) => new Map(entries))

/** An end that holds `x`, or takes it, over streams that are dialled again when they break. */
class TroubledPeer {
  readonly host = new MemoryHost()
  readonly peer: TransferPeer
  #chunks = 0

  constructor(troubles: Troubles, held?: Uint8Array) {
    if (held) this.host.bodies.set('object x', held)
    this.host.cutPuts = new CutPuts({ mostBytes: 2 ** 28, keepMs: 10_000 })
    let open = this.#dial(troubles)
    const dial = (): TransferPeer => {
      if (open.broken) open = this.#dial(troubles)
      return open
    }
    this.peer = peerOn(dial, () => Promise.resolve())
  }

  #dial(troubles: Troubles) {
    const tamper = (frame: Frame): Frame | readonly Frame[] => {
      if (frame.$case !== 'chunk') return frame
      const { value } = frame
      switch (troubles.get(this.#chunks++)) {
        case 'cut':
          pair.cut()
          return []
        case 'flip': {
          const data = Buffer.from(value.data)
          data[data.length >> 1]! ^= 4
          return { ...frame, value: { ...value, data } }
        }
        case 'drop':
          return []
        case 'repeat':
          return [frame, frame]
        case 'shift':
          return { ...frame, value: { ...value, offset: value.offset + 8n } }
        default:
          return frame
      }
    }
    const pair = connectPair({ host: this.host, up: tamper, down: tamper })
    return pair.stream
  }
}

/** What a transfer may end with: the bytes, or an error of these that names the object. */
async function endOf(transfer: Promise<{ readonly bytes: Bytes }>, whole: Uint8Array): Promise<void> {
  try {
    expect(fingerprint(wholeOf((await transfer).bytes))).toBe(fingerprint(whole))
  } catch (error) {
    if (!(error instanceof TransferError)) throw error
    expect([Status.DATA_LOSS, Status.UNAVAILABLE, Status.INVALID_ARGUMENT]).toContain(error.code)
    if (error.code !== Status.UNAVAILABLE) expect(error.message).toContain('object x')
  }
}

const length = fc.integer({ min: 1, max: 3_000_000 })

test('whatever becomes of its chunks, an object that is got is what it was, or an error that says what became of it', async () => {
  await fc.assert(
    fc.asyncProperty(
      length,
      fc.array(troubles, { minLength: 1, maxLength: 3 }),
      fc.boolean(),
      async (byteLength, all, striped) => {
        const body = bytesOf(byteLength)
        const peers = all.map((each) => new TroubledPeer(each, body))
        const holders = peers.map((_, index) => ({ addresses: [`${index}:1`] }))
        const givers = {
          worker: ([address = '']: readonly string[]) => (peers[parseInt(address)] as TroubledPeer).peer,
        }
        const object = { objectId: 'x', byteLength, xxh64: xxh64Of([body]), holders }
        const got = striped ? getStriped(givers, object, { rangeBytes: 400_000 }) : getFromHolders(givers, 'x', holders)
        await endOf(got, body)
        for (const { host } of peers) await vi.waitFor(() => expect(host.sourcesOpen).toBe(0), { timeout: 30_000 })
      },
    ),
    { numRuns: 40 },
  )
}, 120_000)

test('whatever becomes of its chunks, an object that is put is there whole, or not at all', async () => {
  await fc.assert(
    fc.asyncProperty(length, troubles, async (byteLength, each) => {
      const body = bytesOf(byteLength)
      const { host, peer } = new TroubledPeer(each)
      const put = putUntilWhole(() => peer.put(objectOf('x'), sourceOf(body), { requestId: 'one' }))
      await endOf(
        put.then(() => ({ bytes: host.bodies.get('object x') ?? new Uint8Array() })),
        body,
      )
      const kept = host.bodies.get('object x')
      if (kept) expect(fingerprint(kept)).toBe(fingerprint(body))
    }),
    { numRuns: 40 },
  )
}, 120_000)
