import fc from 'fast-check'
import { Status } from 'nice-grpc-common'
import { beforeEach, expect, test, vi } from 'vitest'

import { wholeOf } from '#libs/memory'

import { xxh64Of } from './digest.js'
import type { Source } from './endpoint.js'
import { createObjectTransfers } from './object-transfers.js'
import { bytesOf, connectPair, fingerprint, MemoryHost, type Tamper } from './pair.fixture.js'
import { peerOn, type TransferPeer } from './pool.js'
import { getStriped, type StripedObject, stripedObjectBytes } from './striped-get.js'

// What is damaged here are the frames: nothing may go around them.
beforeEach(() => void vi.stubEnv('COSTATE_SHARED_MEMORY', 'off'))

const rangeBytes = 100_000
const body = bytesOf(20 * rangeBytes + 7)

/** Holders of `x` by their addresses, and what becomes of the frames that each sends. */
class Holders {
  readonly hosts = new Map<string, MemoryHost>()
  readonly #peers = new Map<string, TransferPeer>()
  readonly #cuts = new Map<string, () => void>()

  add(address: string, { held = body, down }: { held?: Uint8Array | null; down?: Tamper } = {}): MemoryHost {
    const host = new MemoryHost()
    if (held) host.bodies.set('object x', held)
    const { stream, cut } = connectPair({ host, ...(down && { down }) })
    this.hosts.set(address, host)
    this.#cuts.set(address, cut)
    this.#peers.set(
      address,
      peerOn(
        () => stream,
        () => Promise.resolve(),
      ),
    )
    return host
  }

  cut(address: string): void {
    this.#cuts.get(address)?.()
  }

  worker([address = '']: readonly string[]): TransferPeer {
    return this.#peers.get(address) as TransferPeer
  }

  get object(): StripedObject {
    const holders = [...this.hosts.keys()].map((address) => ({ addresses: [address] }))
    return { objectId: 'x', byteLength: body.byteLength, xxh64: xxh64Of([body]), holders }
  }
}

/** Where the ranges began that a holder was asked for. */
const startsOf = ({ opens }: MemoryHost): number[] =>
  opens.map(({ range }) => Number(range?.start)).sort((a, b) => a - b)

const allStarts = new Set(Array.from({ length: 21 }, (_, index) => index * rangeBytes))

const flipFirstByte: Tamper = (frame) => {
  if (frame.$case !== 'chunk') return frame
  const data = Buffer.from(frame.value.data)
  data[0]! ^= 1
  return { ...frame, value: { ...frame.value, data } }
}

test('an object comes from all of its holders at once, in ranges', async () => {
  const holders = new Holders()
  const hosts = ['a:1', 'b:1', 'c:1'].map((address) => holders.add(address))
  const { bytes } = await getStriped(holders, holders.object, { rangeBytes })
  expect(fingerprint(wholeOf(bytes))).toBe(fingerprint(body))
  for (const host of hosts) expect(host.opens.length).toBeGreaterThan(0)
  expect(new Set(hosts.flatMap(startsOf))).toEqual(allStarts)
  expect(hosts.map(({ sourcesOpen }) => sourcesOpen)).toEqual([0, 0, 0])
})

test('whatever the lengths and the number of holders, it is whole', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.integer({ min: 1, max: 50_000 }),
      fc.integer({ min: 1, max: 20_000 }),
      fc.integer({ min: 1, max: 4 }),
      async (byteLength, length, count) => {
        const held = bytesOf(byteLength)
        const holders = new Holders()
        for (let index = 0; index < count; index++) holders.add(`${index}:1`, { held })
        const object = { ...holders.object, byteLength, xxh64: xxh64Of([held]) }
        const { bytes } = await getStriped(holders, object, { rangeBytes: length })
        expect(fingerprint(wholeOf(bytes))).toBe(fingerprint(held))
      },
    ),
    { numRuns: 30 },
  )
}, 120_000)

test('what a holder that dies has not sent comes from the others', async () => {
  const holders = new Holders()
  holders.add('dies:1', {
    down: (frame) => {
      if (frame.$case === 'chunk') holders.cut('dies:1')
      return frame
    },
  })
  const other = holders.add('lives:1')
  const { bytes } = await getStriped(holders, holders.object, { rangeBytes })
  expect(fingerprint(wholeOf(bytes))).toBe(fingerprint(body))
  expect(new Set(startsOf(other))).toEqual(allStarts)
})

test('what a holder that hangs does not send is taken over by one that has nothing else to do', async () => {
  const holders = new Holders()
  const hanging = holders.add('hangs:1', { down: (frame) => (frame.$case === 'chunk' ? [] : frame) })
  const other = holders.add('lives:1')
  const { bytes } = await getStriped(holders, holders.object, { rangeBytes })
  expect(fingerprint(wholeOf(bytes))).toBe(fingerprint(body))
  expect(startsOf(other)).toEqual(expect.arrayContaining(startsOf(hanging)))
  expect(hanging.opens).toHaveLength(2)
})

test('a range that arrives damaged is got again, and who sends nothing else is asked no more', async () => {
  const holders = new Holders()
  const rotten = holders.add('rotten:1', { down: flipFirstByte })
  holders.add('sound:1')
  const { bytes } = await getStriped(holders, holders.object, { rangeBytes })
  expect(fingerprint(wholeOf(bytes))).toBe(fingerprint(body))
  expect(rotten.opens.length).toBeLessThanOrEqual(4)
})

test('bytes that are not what the object is are found at the end, and never delivered', async () => {
  const holders = new Holders()
  const other = Uint8Array.from(body)
  other[body.length - 1]! ^= 1
  holders.add('a:1')
  holders.add('b:1', { held: other })
  const holdersOfOther = [...holders.object.holders].slice(1)
  await expect(
    getStriped(holders, { ...holders.object, holders: holdersOfOther }, { rangeBytes }),
  ).rejects.toMatchObject({
    code: Status.DATA_LOSS,
    reason: 'DIGEST_MISMATCH',
    message: expect.stringContaining('object x') as string,
  })
})

test('who is asked for a part that is not there, or of what is still arriving, refuses it', async () => {
  const holders = new Holders()
  holders.add('none:1', { held: null })
  await expect(getStriped(holders, holders.object, { rangeBytes })).rejects.toMatchObject({
    reason: 'OBJECT_NOT_FOUND',
  })
  const short = new Holders()
  const host = short.add('short:1', { held: body.subarray(0, 10) })
  await expect(getStriped(short, short.object, { rangeBytes })).rejects.toMatchObject({ reason: 'RANGE_BEHIND_END' })
  expect(host.sourcesOpen).toBe(0)
  const arriving = new Holders()
  const relay = arriving.add('relay:1')
  const openSource = relay.openSource.bind(relay)
  const never = new Promise<never>(() => undefined)
  relay.openSource = async (open): Promise<Source> => ({
    ...(await openSource(open)),
    arriving: { until: () => never, digest: () => never },
  })
  await expect(getStriped(arriving, arriving.object, { rangeBytes })).rejects.toMatchObject({
    reason: 'STILL_ARRIVING',
  })
})

test('only large objects of known digest are got so, and only from several hosts; else from the first holder', async () => {
  const large = Buffer.alloc(stripedObjectBytes, 7)
  const asked = async (
    addresses: readonly string[],
    change: { xxh64?: bigint | undefined } = {},
  ): Promise<number[]> => {
    const holders = new Holders()
    for (const address of addresses) holders.add(address, { held: large })
    const object = { ...holders.object, byteLength: large.byteLength, xxh64: xxh64Of([large]), ...change }
    const { bytes } = await createObjectTransfers(holders).get(object)
    expect(large.equals(wholeOf(bytes))).toBe(true)
    return [...holders.hosts.values()].map(({ opens }) => opens.length)
  }
  for (const opens of await asked(['a:1', 'b:1'])) expect(opens).toBeGreaterThan(0)
  expect(await asked(['a:1', 'a:2'])).toEqual([1, 0])
  expect(await asked(['a:1', 'b:1'], { xxh64: undefined })).toEqual([1, 0])
})
