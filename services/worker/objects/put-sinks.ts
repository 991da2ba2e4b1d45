import { Status } from 'nice-grpc-common'

import type { ObjectId } from '#libs/domain'
import type { Bytes, UnseenMemory } from '#libs/memory'
import { Durability, type TransferHeader } from '#libs/proto'
import { createMemorySink, createUnseenSink, type Sink, TransferError } from '#libs/transfer'

import type { Arrivals } from './arrivals.js'
import type { MemoryRoom } from './memory-room.js'
import type { ObjectStore, StoredObject } from './object-store.js'
import { keepOnce, noRoom, otherBytes } from './put-checks.js'
import { SpillError, type SpillFolder } from './spill-folder.js'

/** What is put. */
export interface ArrivingObject {
  readonly objectId: ObjectId
  readonly name: string
  readonly header: TransferHeader
  /** It is here, whole. */
  readonly stored: (object: StoredObject) => Promise<void>
}

/** Makes places for what is put. */
export interface PutSinks {
  /** @throws TransferError RESOURCE_EXHAUSTED when there is no room in memory or on the disk. */
  open(object: ArrivingObject): Promise<Sink>
}

/** In memory while that has room, from where others get it while it comes; else on the disk. */
export function createPutSinks(
  store: ObjectStore,
  arrivals: Arrivals,
  room: Pick<MemoryRoom, 'has' | 'limitBytes'>,
  folder: Pick<SpillFolder, 'create'> | undefined,
): PutSinks {
  return {
    open: async (object) => {
      const byteLength = Number(object.header.byteLength)
      if (room.has(byteLength)) return createHeldSink(store, arrivals, object, byteLength)
      if (folder === undefined) throw noRoom(object.name, byteLength, room.limitBytes)
      try {
        return await createSpillSink(store, arrivals, folder, object, byteLength)
      } catch (error) {
        if (error instanceof SpillError) throw noRoom(object.name, byteLength, room.limitBytes, error.message)
        throw error
      }
    },
  }
}

type NewBody = { readonly bytes: Bytes<ArrayBuffer> } | { readonly mapped: UnseenMemory }

function createHeldSink(store: ObjectStore, arrivals: Arrivals, object: ArrivingObject, byteLength: number): Sink {
  const { objectId, name, header, stored } = object
  const { structure } = header
  const isHere = store.expect(byteLength)
  const keep = async (body: NewBody, digest: Buffer): Promise<void> => {
    isHere()
    // Another put of the same object may have come first.
    const kept = keepOnce(store, { objectId, structure, ...body, xxh64: digest.readBigUInt64BE() }, name)
    arrival.complete(digest)
    await stored(kept)
  }
  const sink =
    createUnseenSink(header, (memory, digest) => keep({ mapped: memory }, digest)) ??
    createMemorySink(header, ({ bytes }, digest) => keep({ bytes }, digest))
  const arrival = arrivals.begin(objectId, { structure, byteLength }, 'memory' in sink ? sink.memory : sink)
  return {
    ...sink,
    write: (data) => {
      const written = sink.write(data)
      arrival.advance(data.byteLength)
      return written
    },
    abort: () => {
      isHere()
      arrival.fail()
      sink.abort()
    },
  }
}

/** How long a piece is at most that is read straight into its memory. */
const pieceBytes = 2 * 1024 * 1024

async function createSpillSink(
  store: ObjectStore,
  arrivals: Arrivals,
  folder: Pick<SpillFolder, 'create'>,
  { objectId, name, header, stored }: ArrivingObject,
  byteLength: number,
): Promise<Sink> {
  const file = await folder.create(objectId, byteLength)
  let scratch: Uint8Array | undefined
  return {
    place: (length) => {
      if (length > pieceBytes) return Buffer.allocUnsafeSlow(length)
      return (scratch ??= Buffer.allocUnsafeSlow(pieceBytes)).subarray(0, length)
    },
    write: async (data) => {
      await file.write(data).catch((error: unknown) => {
        if (!(error instanceof SpillError)) throw error
        throw new TransferError(Status.RESOURCE_EXHAUSTED, 'DISK_FULL', `${name}: ${error.message}`, { cause: error })
      })
    },
    commit: async (digest) => {
      const body = await file.finish(digest.readBigUInt64BE())
      const kept = store.keepSpilled(objectId, header.structure, body)
      arrivals.noteStored(objectId)
      if (kept.place !== 'disk' || kept.body !== body) {
        body.remove()
        if (kept.descriptor.xxh64 !== body.xxh64) throw otherBytes(name)
      }
      await stored(kept)
      return { durability: Durability.MEMORY, version: 0n }
    },
    abort: () => file.abandon(),
  }
}
