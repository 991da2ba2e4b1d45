import { Status } from 'nice-grpc-common'

import type { ObjectId } from '#libs/domain'
import { Durability } from '#libs/proto'
import { CutPuts, nameOf, type Source, TransferError, type TransferHost } from '#libs/transfer'

import type { AnnounceStored } from './announcements.js'
import type { Arrivals } from './arrivals.js'
import type { MemoryRoom } from './memory-room.js'
import { createObjectBatches } from './object-batches.js'
import type { ObjectFetches } from './object-fetches.js'
import type { ObjectStore, StoredObject } from './object-store.js'
import { checkDigestAlgorithm, checkStructure, type IncomingPut, otherBytes, putToDomain } from './put-checks.js'
import type { PutSinks } from './put-sinks.js'
import { sourceOf } from './stored-body.js'

/** The most request ids that are remembered; then the oldest is forgotten. */
const maxRequests = 10_000
/** How much of puts that lost their stream is kept, and for how long: their senders dial again at once. */
const mostCutBytes = 2 ** 28
const keepCutMs = 10_000

/** What the worker offers on its bulk streams: its objects to get, its memory to put into. */
export function createTransferHost(
  store: ObjectStore,
  arrivals: Arrivals,
  sinks: PutSinks,
  fetches: Pick<ObjectFetches, 'fetch'>,
  announce: AnnounceStored,
  room: Pick<MemoryRoom, 'has' | 'limitBytes'>,
): TransferHost {
  /** Which object was put under a request id. */
  const requests = new Map<string, ObjectId>()

  function remember({ requestId, objectId, name }: IncomingPut): void {
    if (requestId === '') return
    const first = requests.get(requestId)
    if (first !== undefined && first !== objectId) {
      const message = `${name}: request id ${requestId} was used before, for object ${first}: use a new one per put`
      throw new TransferError(Status.INVALID_ARGUMENT, 'REQUEST_ID_REUSED', message)
    }
    requests.set(requestId, objectId)
    for (const oldest of requests.keys()) {
      if (requests.size <= maxRequests) return
      requests.delete(oldest)
    }
  }

  async function announceStored({ requestId, sessionId }: IncomingPut, { descriptor }: StoredObject): Promise<void> {
    await announce({ requestId, sessionId, objects: [descriptor] })
  }

  const batches = createObjectBatches(store, announce, room)

  /** The object, or as much of it as is here. */
  function find(objectId: ObjectId): Source | undefined {
    const held = store.get(objectId)
    return held ? sourceOf(store, held) : arrivals.sourceOf(objectId)
  }

  return {
    cutPuts: new CutPuts({ mostBytes: mostCutBytes, keepMs: keepCutMs }),
    openSource: async (open) => {
      if (open.target?.$case === 'objects') return batches.openSource(open.target.value.objectIds)
      const objectId = open.target?.$case === 'objectId' ? (open.target.value as ObjectId) : undefined
      if (objectId !== undefined && open.awaits && !find(objectId)) await arrivals.news(objectId)
      const source = objectId === undefined ? undefined : find(objectId)
      if (source === undefined) {
        throw new TransferError(Status.NOT_FOUND, 'OBJECT_NOT_FOUND', `${nameOf(open)} is not held by this worker`)
      }
      return source
    },
    fetch: (open, signal) => fetches.fetch(open, signal),
    openSink: async (open, header) => {
      if (open.target?.$case === 'objects') return batches.openSink(open, header)
      const put = putToDomain(open)
      const { objectId, requestId, name } = put
      checkDigestAlgorithm(name, header)
      checkStructure(name, header.structure, header.byteLength)
      const isRepeated = requestId !== '' && requests.has(requestId)
      remember(put)
      const known = store.get(objectId)
      if (known && known.descriptor.byteLength !== header.byteLength) throw otherBytes(name)
      if (known && isRepeated) {
        await announceStored(put, known)
        return { durability: Durability.MEMORY, version: 0n }
      }
      return await sinks.open({ objectId, name, header, stored: (object) => announceStored(put, object) })
    },
  }
}
