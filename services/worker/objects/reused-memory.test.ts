import { randomUUID } from 'node:crypto'

import fc from 'fast-check'
import { expect, test } from 'vitest'

import type { ObjectId } from '#libs/domain'
import { DigestAlgorithm, ElementType, TransferDirection, TransferHeader, TransferOpen } from '#libs/proto'
import { type Sink, type Source, WarmMemory, xxh64Of } from '#libs/transfer'

import { createObjectStore } from './object-store.js'
import { createTransferHost } from './transfer-host.js'

const length = 2 ** 20
const tensor = { elementType: ElementType.UINT8, shape: [BigInt(length)], offset: 0n, byteLength: BigInt(length) }

function setUp() {
  const warm = new WarmMemory({ mostBytes: 3 * length, idleMs: 60_000 })
  const store = createObjectStore(warm)
  const host = createTransferHost(store, async () => undefined, 0)
  const openOf = (objectId: string, direction: TransferDirection): TransferOpen => ({
    ...TransferOpen.fromPartial({}),
    direction,
    target: { $case: 'objectId', value: objectId },
  })
  const openSink = async (objectId: string): Promise<Sink> => {
    const header = {
      ...TransferHeader.fromPartial({}),
      structure: { kind: { $case: 'tensor' as const, value: tensor } },
      byteLength: BigInt(length),
      digestAlgorithm: DigestAlgorithm.XXH64,
    }
    return (await host.openSink(openOf(objectId, TransferDirection.PUT), header)) as Sink
  }
  const put = async (fill: number): Promise<ObjectId> => {
    const objectId = `o-${randomUUID()}` as ObjectId
    const bytes = new Uint8Array(length).fill(fill)
    const sink = await openSink(objectId)
    await sink.write(bytes)
    const digest = Buffer.alloc(8)
    digest.writeBigUInt64BE(xxh64Of([bytes]))
    await sink.commit(digest)
    return objectId
  }
  const openSource = (objectId: string): Promise<Source> => host.openSource(openOf(objectId, TransferDirection.GET))
  return { warm, store, openSink, put, openSource }
}

const isAll = (bytes: Uint8Array | undefined, fill: number): boolean =>
  bytes !== undefined && Buffer.alloc(length, fill).equals(bytes)

test('an object comes into the memory of one that was released', async () => {
  const { put, store } = setUp()
  const first = await put(1)
  const { bytes } = store.get(first)!
  store.release(first)
  const second = await put(2)
  expect(isAll(store.get(second)?.bytes, 2)).toBe(true)
  expect(bytes.byteLength).toBe(0)
})

test('an object that somebody gets is whole for him, also when it is released and others come', async () => {
  const { put, store, openSource } = setUp()
  const first = await put(1)
  const source = await openSource(first)
  store.release(first)
  await put(2)
  await put(3)
  const [piece] = source.read(0) as Iterable<Uint8Array>
  expect(isAll(piece, 1)).toBe(true)
  source.close?.()
})

test('a put that is given up leaves nothing that anybody sees', async () => {
  const { put, store, openSink, warm } = setUp()
  const sink = await openSink(`o-${randomUUID()}`)
  await sink.write(new Uint8Array(length / 2).fill(9))
  sink.abort()
  expect(warm.byteLength).toBe(length)
  expect(isAll(store.get(await put(4))?.bytes, 4)).toBe(true)
})

test('whatever is put, got, given up and released in whatever order: every object is its own bytes', async () => {
  const step = fc.tuple(fc.constantFrom('put', 'give up', 'open', 'read', 'release'), fc.nat(5))
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 30 }), async (steps) => {
      const { put, store, openSink, openSource } = setUp()
      const held: { id: ObjectId; fill: number }[] = []
      const open: { source: Source; fill: number }[] = []
      let fill = 0
      for (const [what, index] of steps) {
        const object = held[index % Math.max(1, held.length)]
        if (what === 'put') held.push({ id: await put(++fill), fill })
        else if (what === 'give up') (await openSink(`o-${randomUUID()}`)).abort()
        else if (what === 'open' && object) open.push({ source: await openSource(object.id), fill: object.fill })
        else if (what === 'release' && object) {
          store.release(object.id)
          held.splice(held.indexOf(object), 1)
        } else if (what === 'read') {
          for (const { source, fill } of open.splice(0)) {
            const [piece] = source.read(0) as Iterable<Uint8Array>
            expect(isAll(piece, fill)).toBe(true)
            source.close?.()
          }
        }
      }
      for (const { id, fill } of held) expect(isAll(store.get(id)?.bytes, fill)).toBe(true)
    }),
    { numRuns: 30 },
  )
})
