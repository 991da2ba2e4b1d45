import { randomUUID } from 'node:crypto'

import { Status } from 'nice-grpc-common'
import { expect, test } from 'vitest'

import type { ObjectId } from '#libs/domain'
import { wholeOf } from '#libs/memory'
import { DigestAlgorithm, TransferHeader } from '#libs/proto'
import { createDigester, type Sink } from '#libs/transfer'

import { createArrivals } from './arrivals.js'
import { memoryPolicyOf } from './memory-policy.js'
import { createMemoryRoom } from './memory-room.js'
import { createObjectStore, type StoredObject } from './object-store.js'
import { createPutSinks } from './put-sinks.js'
import { SpillError } from './spill-folder.js'
import { bytesValue, openSpillLab } from './spilling.fixture.js'
import { readBody } from './stored-body.js'

/** A worker with a limit of 10,000 bytes, whose process has nothing beside its objects. */
async function openLab(options: { readonly limitBytes?: number; readonly spills?: boolean } = {}) {
  const lab = await openSpillLab(6000, options)
  const { store, folder } = lab
  const room = createMemoryRoom(store, memoryPolicyOf(10_000, 0.6), () => store.heldBytes)
  const sinks = createPutSinks(store, createArrivals(), room, options.spills === false ? undefined : folder)
  const stored: StoredObject[] = []
  const open = (byteLength: number, objectId = `o-${randomUUID()}` as ObjectId): Promise<Sink> => {
    const header = TransferHeader.fromPartial({ structure: bytesValue(byteLength), byteLength: BigInt(byteLength) })
    const name = `object ${objectId}`
    return sinks.open({ objectId, name, header, stored: async (object) => void stored.push(object) })
  }
  return { ...lab, open, stored, [Symbol.asyncDispose]: () => lab[Symbol.asyncDispose]() }
}

async function fill(sink: Sink, bytes: Uint8Array): Promise<void> {
  const half = bytes.byteLength / 2
  await sink.write(bytes.subarray(0, half))
  await sink.write(bytes.subarray(half))
  const digester = createDigester(DigestAlgorithm.XXH64)
  digester.update(bytes)
  await sink.commit(digester.digest())
}

test('what finds no room in memory goes straight to the disk, and is whole', async () => {
  await using lab = await openLab()
  const [one, other] = [Buffer.alloc(6000, 1), Buffer.alloc(6000, 2)]
  await fill(await lab.open(6000), one)
  await fill(await lab.open(6000), other)
  expect(lab.stored.map(({ place }) => place)).toEqual(['memory', 'disk'])
  expect(other.equals(wholeOf(await readBody(lab.store, lab.stored[1] as StoredObject)))).toBe(true)
})

test('what is on its way counts as what is there, until it is given up', async () => {
  await using lab = await openLab({ spills: false })
  const first = await lab.open(6000)
  await expect(lab.open(6000)).rejects.toMatchObject({ code: Status.RESOURCE_EXHAUSTED, reason: 'NO_MEMORY' })
  first.abort()
  expect(lab.store.arrivingBytes).toBe(0)
  await lab.open(6000)
})

test('without room on the disk either, a put is refused with what to do', async () => {
  await using lab = await openLab({ limitBytes: 1000 })
  await fill(await lab.open(6000), Buffer.alloc(6000, 1))
  const refusal = await lab.open(6000).catch((error: unknown) => error as Error)
  expect(refusal).toMatchObject({ code: Status.RESOURCE_EXHAUSTED, reason: 'NO_MEMORY' })
  expect((refusal as Error).message).toMatch(/release objects.*the spill limit of 1000 bytes/)
})

test('a disk that fills up while an object is written: the put is refused, and nothing of it is left', async () => {
  await using lab = await openSpillLab(6000)
  let abandoned = 0
  const full = new SpillError('object o cannot be spilled to /somewhere: no space left on device')
  const refuse = (): Promise<never> => Promise.reject(full)
  const abandon = (): void => {
    abandoned++
  }
  const file = { write: refuse, finish: refuse, abandon }
  const sinks = createPutSinks(
    lab.store,
    createArrivals(),
    { limitBytes: 1, has: () => false },
    { create: async () => file },
  )
  const header = TransferHeader.fromPartial({ byteLength: 10n })
  const sink = await sinks.open({ objectId: 'o' as ObjectId, name: 'object o', header, stored: async () => undefined })
  const refusal = {
    code: Status.RESOURCE_EXHAUSTED,
    reason: 'DISK_FULL',
    message: expect.stringContaining('no space') as string,
  }
  await expect(sink.write(Buffer.alloc(10))).rejects.toMatchObject(refusal)
  sink.abort()
  expect([abandoned, lab.store.spilledBytes]).toEqual([1, 0])
})

/** A worker without a limit, and bodies long enough for memory that is used again. */
function openLarge(stored: () => Promise<void> = async () => undefined) {
  const store = createObjectStore()
  const arrivals = createArrivals()
  const sinks = createPutSinks(store, arrivals, { limitBytes: 0, has: () => true }, undefined)
  const byteLength = 5_000_000
  const header = TransferHeader.fromPartial({ structure: bytesValue(byteLength), byteLength: BigInt(byteLength) })
  const open = (objectId: ObjectId): Promise<Sink> => sinks.open({ objectId, name: objectId, header, stored })
  return { store, arrivals, byteLength, open }
}

test('who passes on what arrives has its bytes, also when it is released and others come', async () => {
  const { store, arrivals, byteLength, open } = openLarge()
  const [id, next] = [`o-${randomUUID()}` as ObjectId, `o-${randomUUID()}` as ObjectId]
  const sink = await open(id)
  const passed = arrivals.sourceOf(id)
  await fill(sink, Buffer.alloc(byteLength, 1))
  store.release(id)
  await fill(await open(next), Buffer.alloc(byteLength, 2))
  const pieces: Uint8Array[] = []
  for await (const piece of passed?.read(0) ?? []) pieces.push(piece)
  expect(Buffer.concat(pieces).equals(Buffer.alloc(byteLength, 1))).toBe(true)
})

test('what was kept keeps its memory, also when nobody could be told of it', async () => {
  const { store, byteLength, open } = openLarge(() => Promise.reject(new Error('the scheduler is gone')))
  const [id, next] = [`o-${randomUUID()}` as ObjectId, `o-${randomUUID()}` as ObjectId]
  const sink = await open(id)
  await expect(fill(sink, Buffer.alloc(byteLength, 1))).rejects.toThrow('gone')
  sink.abort()
  const other = await open(next)
  await other.write(Buffer.alloc(byteLength, 2))
  const held = store.get(id)
  if (held?.place !== 'memory') throw new Error('it is not held')
  expect(Buffer.alloc(byteLength, 1).equals(wholeOf(held.bytes))).toBe(true)
  other.abort()
})

test('the same object twice is kept once, also when the first is on the disk; another value under its id is refused', async () => {
  await using lab = await openLab()
  const id = `o-${randomUUID()}` as ObjectId
  await fill(await lab.open(9000, id), Buffer.alloc(9000, 1))
  await fill(await lab.open(9000, id), Buffer.alloc(9000, 1))
  await expect(fill(await lab.open(9000, id), Buffer.alloc(9000, 2))).rejects.toMatchObject({ reason: 'OBJECT_EXISTS' })
  expect(lab.store.spilledBytes).toBe(9000)
})
