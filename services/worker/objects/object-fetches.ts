import { Status } from 'nice-grpc-common'

import type { ObjectId } from '#libs/domain'
import { Durability, type TransferHeader, type TransferOpen, type TransferReceipt } from '#libs/proto'
import { type BodyPlace, fetchFrom, type MappedCopy, type Sink, TransferError, type TransferPool } from '#libs/transfer'

import type { AnnounceStored } from './announcements.js'
import type { Arrivals } from './arrivals.js'
import type { MemoryRoom } from './memory-room.js'
import type { ObjectStore, StoredObject } from './object-store.js'
import { checkDigestAlgorithm, checkStructure, fetchToDomain, type IncomingPut, keepOnce } from './put-checks.js'
import type { PutSinks } from './put-sinks.js'

/** Copies of objects that others hold, which this worker was told to get. */
export interface ObjectFetches {
  /** Resolves when the copy is here and the scheduler knows. Who asks for what is on its way joins those who did. */
  fetch(open: TransferOpen, signal: AbortSignal): Promise<TransferReceipt>
  /** The task is run here: a result of it that was copied from elsewhere counts no more. */
  dropCopy(objectId: ObjectId): void
  /** Nobody wants the object any more, however it came here. */
  release(objectId: ObjectId): void
}

/** What fetches are made of. */
export interface FetchPorts {
  readonly store: ObjectStore
  readonly arrivals: Arrivals
  readonly sinks: PutSinks
  readonly pool: Pick<TransferPool, 'worker'>
  readonly announce: AnnounceStored
  readonly room: Pick<MemoryRoom, 'has'>
  /** Whether the object is the result of a task that this worker was sent. */
  readonly isOrdered: (objectId: ObjectId) => boolean
}

interface UnderWay {
  readonly stored: Promise<StoredObject>
  readonly stop: AbortController
  askers: number
}

const receipt: TransferReceipt = { durability: Durability.MEMORY, version: 0n }

export function createObjectFetches({
  store,
  arrivals,
  sinks,
  pool,
  announce,
  room,
  isOrdered,
}: FetchPorts): ObjectFetches {
  const underWay = new Map<ObjectId, UnderWay>()
  /** Results of tasks that ran elsewhere. */
  const copies = new Set<ObjectId>()

  async function openSink(put: IncomingPut, header: TransferHeader): Promise<Sink> {
    check(put, header)
    const { objectId, name } = put
    return await sinks.open({ objectId, name, header, stored: async () => undefined })
  }

  function check({ name, isResult }: IncomingPut, header: TransferHeader): void {
    checkDigestAlgorithm(name, header)
    if (!isResult) checkStructure(name, header.structure, header.byteLength)
  }

  /** Memory that others on this host have as well. */
  async function adopt(
    { objectId, name }: IncomingPut,
    { structure }: TransferHeader,
    mapped: MappedCopy,
    digest: Buffer,
  ): Promise<boolean> {
    if (!room.has(mapped.byteLength)) return false
    keepOnce(store, { objectId, structure, mapped, xxh64: digest.readBigUInt64BE() }, name)
    arrivals.noteStored(objectId)
    return true
  }

  async function bring(put: IncomingPut, { sources, trace }: TransferOpen, signal: AbortSignal): Promise<StoredObject> {
    const { objectId, name } = put
    try {
      const options = { signal, trace: Object.fromEntries(trace) }
      const place: BodyPlace = {
        open: (header) => openSink(put, header),
        adopt: async (header, copy, digest) => {
          check(put, header)
          return await adopt(put, header, copy, digest)
        },
      }
      await fetchFrom(pool, objectId, sources, place, options)
      const stored = store.get(objectId)
      if (signal.aborted) store.release(objectId)
      if (stored === undefined || signal.aborted) throw remade(name)
      if (put.isResult) copies.add(objectId)
      return stored
    } catch (error) {
      arrivals.refuse(objectId)
      throw error
    } finally {
      underWay.delete(objectId)
    }
  }

  function start(put: IncomingPut, open: TransferOpen): UnderWay {
    arrivals.expect(put.objectId)
    const stop = new AbortController()
    const started: UnderWay = { stored: bring(put, open, stop.signal), stop, askers: 0 }
    underWay.set(put.objectId, started)
    return started
  }

  async function join(entry: UnderWay, signal: AbortSignal): Promise<StoredObject> {
    entry.askers++
    const leave = (): void => {
      if (--entry.askers === 0) entry.stop.abort()
    }
    signal.addEventListener('abort', leave, { once: true })
    try {
      return await entry.stored
    } finally {
      signal.removeEventListener('abort', leave)
    }
  }

  return {
    fetch: async (open, signal) => {
      const put = fetchToDomain(open)
      const { objectId, requestId, sessionId, name } = put
      if (put.isResult && isOrdered(objectId)) throw remade(name)
      const stored = store.get(objectId) ?? (await join(underWay.get(objectId) ?? start(put, open), signal))
      await announce({ requestId, sessionId: put.isResult ? '' : sessionId, objects: [stored.descriptor] })
      return receipt
    },
    dropCopy: (objectId) => {
      underWay.get(objectId)?.stop.abort()
      if (copies.delete(objectId)) store.release(objectId)
    },
    release: (objectId) => {
      copies.delete(objectId)
      store.release(objectId)
    },
  }
}

function remade(name: string): TransferError {
  return new TransferError(Status.ABORTED, 'OBJECT_GIVEN_UP', `${name} was released, or is made anew, while it came`)
}
